/**
 * Reads a client's JSON as an object of a type, as kube-apiserver does: unknown fields are dropped and named, wrong types refused,
 * numbers, times and quantities brought to their canonical form, and zero values filled in where Go has them.
 */
import { NumberText, parseExactJson, plainValue, type ExactValue } from './exact-json.ts'
import { findProblems, PROBLEMS_MAX } from './field-problems.ts'
import { countFields, scanJson } from './json-scan.ts'
import { DecodeError } from './decode-error.ts'
import { checkJsonDepth } from './parse-json.ts'
import { decoderOf, type DecodeContext } from './decoders.ts'
import type { ObjectSchema } from './schema.ts'

export type FieldValidation = 'Ignore' | 'Warn' | 'Strict'

export type DecodeOptions = {
  /** Whether unknown and duplicate fields are looked for; they are dropped in any case. `Ignore` unless said. */
  readonly fieldValidation?: FieldValidation
  /** False: absent fields stay absent, even where Go would hold a zero value (patches and apply configurations). */
  readonly fillZeros?: boolean
}

export type Decoded<T = Record<string, unknown>> = {
  readonly object: T
  /** `unknown field "spec.foo"`, `duplicate field "data.a"`: in the order of the body, at most 100. */
  readonly problems: string[]
}

/** Decodes a JSON body. Throws DecodeError (400) for broken JSON and for values of a wrong type. */
export function decodeJson<T = Record<string, unknown>>(
  schema: ObjectSchema,
  body: Buffer | string,
  options: DecodeOptions = {},
): Decoded<T> {
  const text = typeof body === 'string' ? body : body.toString('utf8')
  const scan = scanJson(text)
  checkJsonDepth(scan)
  if (scan.hasUnusualNumbers) return decodeExact(schema, text, options)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    value = parseExactJson(text) // Throws Go's own words for what is wrong.
  }
  if (
    options.fieldValidation !== undefined &&
    options.fieldValidation !== 'Ignore' &&
    scan.fields !== countFields(value)
  )
    return decodeExact(schema, text, options)
  return decodeValue<T>(schema, value, options)
}

/** The slow way, for bodies with duplicate fields or numbers that JavaScript cannot hold. */
function decodeExact<T>(schema: ObjectSchema, text: string, options: DecodeOptions): Decoded<T> {
  const exact: ExactValue = parseExactJson(text)
  const { object } = decodeValue<T>(schema, plainValue(exact), { ...options, fieldValidation: 'Ignore' })
  const problems = (options.fieldValidation ?? 'Ignore') === 'Ignore' ? [] : findProblems(schema, exact)
  return { object, problems }
}

/** Decodes a value that was parsed already (YAML, an object of this process). The value itself is not changed. */
export function decodeValue<T = Record<string, unknown>>(
  schema: ObjectSchema,
  value: unknown,
  options: DecodeOptions = {},
): Decoded<T> {
  const context: DecodeContext = {
    path: [],
    problems: (options.fieldValidation ?? 'Ignore') === 'Ignore' ? null : [],
    fillZeros: options.fillZeros ?? true,
  }
  const object = decoderOf(schema)(value, context) as T | undefined
  if (object === undefined) return { object: {} as T, problems: [] }
  return { object, problems: [...new Set(context.problems ?? [])].slice(0, PROBLEMS_MAX) }
}

export { DecodeError, NumberText }
