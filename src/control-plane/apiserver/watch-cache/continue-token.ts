/** The `continue` token of a paged list, in the form that Kubernetes gives it. */
import { jsonSyntaxProblem } from '#machinery/schema/exact-json.ts'
import { badRequest } from '#machinery/status-error.ts'

/** Stands for "go on at whatever is current": the answer to a token whose revision is gone. */
export const LATEST_REVISION = -1

export type ContinuePosition = { readonly startKey: string; readonly revision: number }

/** `startKey` lies below `prefix`; the token holds only the rest. */
export function encodeContinue({ startKey, revision }: ContinuePosition, prefix: string): string {
  const token = { v: 'meta.k8s.io/v1', rv: revision, start: startKey.slice(prefix.length) }
  return Buffer.from(JSON.stringify(token)).toString('base64url')
}

export function decodeContinue(token: string, prefix: string): ContinuePosition {
  const { v, rv, start } = parse(token)
  if (v !== 'meta.k8s.io/v1') {
    throw refuse(`continue key is not valid: server does not recognize this encoded version ${v}`)
  }
  if (rv === 0) {
    throw refuse('continue key is not valid: incorrect encoded start resourceVersion (version meta.k8s.io/v1)')
  }
  if (start === '') throw refuse('continue key is not valid: encoded start key empty (version meta.k8s.io/v1)')
  // A client must not reach beyond the prefix.
  const key = start.startsWith('/') ? start : `/${start}`
  if (key.split('/').some((part, index) => index > 0 && (part === '' || part === '.' || part === '..'))) {
    throw refuse(`continue key is not valid: ${start}`)
  }
  return { startKey: prefix + key.slice(1), revision: rv }
}

function parse(token: string): { v: string; rv: number; start: string } {
  if (!/^[\w-]*$/.test(token) || token.length % 4 === 1) {
    const bad = token.search(/[^\w-]/)
    // Four digits are three bytes: a single one at the end is none.
    const at = bad < 0 ? token.length - 1 : bad
    throw refuse(`continue key is not valid: illegal base64 data at input byte ${at}`)
  }
  const fields = parseJson(Buffer.from(token, 'base64url'))
  return {
    v: field(fields, 'v', 'string') ?? '',
    rv: field(fields, 'rv', 'number') ?? 0,
    start: field(fields, 'start', 'string') ?? '',
  }
}

function parseJson(bytes: Buffer): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(bytes.toString())
  } catch {
    throw refuse(`continue key is not valid: ${jsonSyntaxProblem(bytes)}`)
  }
  if (typeof value === 'object' && !Array.isArray(value)) return (value ?? {}) as Record<string, unknown>
  throw refuse(
    `continue key is not valid: json: cannot unmarshal ${goTypeOf(value)} into Go value of type storage.continueToken`,
  )
}

type FieldTypes = { string: string; number: number }

function field<T extends keyof FieldTypes>(
  fields: Record<string, unknown>,
  name: string,
  type: T,
): FieldTypes[T] | null {
  const value = fields[name] ?? null
  const isRight = type === 'number' ? Number.isSafeInteger(value) : typeof value === type
  if (value === null || isRight) return value as FieldTypes[T] | null
  const goType = type === 'number' ? 'int64' : type
  throw refuse(
    `continue key is not valid: json: cannot unmarshal ${goTypeOf(value)} into Go struct field continueToken.${name} of type ${goType}`,
  )
}

function goTypeOf(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'number' && !Number.isSafeInteger(value)) return `number ${value}`
  return typeof value
}

const refuse = (why: string): Error => badRequest(`invalid continue token: ${why}`)
