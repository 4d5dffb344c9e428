/** Why a patched value does not fit its type, in the words of upstream's converter of unstructured objects (strategic merge patch). */
import { DecodeError } from '../schema/decode-error.ts'
import { decoderOf } from '../schema/decoders.ts'
import { goTypeOf } from '../schema/go-types.ts'
import type { ObjectSchema, ScalarSchema, Schema } from '../schema/schema.ts'

/** The first problem in the order of the type's fields; null for a value that fits. */
export function restoreProblem(schema: Schema, value: unknown): string | null {
  if (value === null || value === undefined) return null
  switch (schema.type) {
    case 'object':
      return isMap(value) ? fieldsProblem(schema, value) : `cannot restore struct from: ${kindOf(value)}`
    case 'list':
      return Array.isArray(value)
        ? firstProblem(value.map((item) => () => restoreProblem(schema.items, item)))
        : `cannot restore slice from ${kindOf(value)}`
    case 'map':
      return isMap(value)
        ? firstProblem(Object.values(value).map((item) => () => restoreProblem(schema.values, item)))
        : `cannot restore map from ${kindOf(value)}`
    case 'bytes':
      return bytesProblem(schema, value)
    case 'quantity':
    case 'time':
    case 'micro-time':
    case 'int-or-string':
    case 'any':
      return decodeProblem(schema, value)
    default:
      return scalarProblem(schema, value)
  }
}

function fieldsProblem({ fields }: ObjectSchema, value: Readonly<Record<string, unknown>>): string | null {
  return firstProblem([...fields.values()].map((field) => () => restoreProblem(field.schema, value[field.name])))
}

function firstProblem(checks: readonly (() => string | null)[]): string | null {
  for (const check of checks) {
    const problem = check()
    if (problem !== null) return problem
  }
  return null
}

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Types that read JSON themselves say what they always say, and nothing of the place. */
function decodeProblem(schema: Schema, value: unknown): string | null {
  try {
    decoderOf(schema)(value, { path: [], problems: null, fillZeros: false })
    return null
  } catch (error) {
    if (error instanceof DecodeError) return error.message
    throw error
  }
}

function bytesProblem(schema: ScalarSchema, value: unknown): string | null {
  if (typeof value !== 'string') return `cannot restore slice from ${kindOf(value)}`
  const problem = decodeProblem(schema, value)
  return problem === null ? null : `error decoding from json: ${problem}`
}

/** Go's kinds of plain types. */
const KINDS: Readonly<Record<string, string>> = {
  string: 'string',
  boolean: 'bool',
  int32: 'int32',
  int64: 'int64',
  double: 'float64',
}

function scalarProblem(schema: ScalarSchema, value: unknown): string | null {
  const [from, to] = [kindOf(value), KINDS[schema.type]!]
  const isNumber = from === 'int64' || from === 'float64'
  if (from === to || (from === 'int64' && to !== 'string' && to !== 'bool')) return null
  if ((from === 'int64' && to === 'string') || (isNumber && to.startsWith('int')))
    return `cannot convert ${from} to ${goTypeOf(schema)}`
  return `unrecognized type: ${to}`
}

/** The kind of Go value that JSON is read into. */
function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'slice'
  if (typeof value === 'object') return 'map'
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'string') return 'string'
  return typeof value === 'bigint' || Number.isInteger(value) ? 'int64' : 'float64'
}
