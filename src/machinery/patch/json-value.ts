/** Plain JSON values as patches see them: copies, Go's names of their types and Go's way of printing them. */
import { setField } from '../schema/exact-json.ts'

export type JsonObject = Record<string, unknown>

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A deep copy; patches change their own copy only. */
export function cloneJson<T>(value: T): T {
  if (Array.isArray(value)) return value.map(cloneJson) as T
  if (!isJsonObject(value)) return value
  const copy: JsonObject = {}
  for (const name of Object.keys(value)) setField(copy, name, cloneJson(value[name]))
  return copy as T
}

/** The member of an object that the object itself has: patches may name `constructor` or `__proto__`. */
export function ownField(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined
}

/** The Go type that holds such a value after decoding. */
export function goTypeOf(value: unknown): string {
  if (value === null || value === undefined) return '%!s(<nil>)'
  if (Array.isArray(value)) return '[]interface {}'
  switch (typeof value) {
    case 'object':
      return 'map[string]interface {}'
    case 'boolean':
      return 'bool'
    case 'number':
      return Number.isInteger(value) ? 'int64' : 'float64'
    case 'bigint':
      return 'int64'
    default:
      return 'string'
  }
}

/** `fmt.Sprint` of a decoded value: `map[a:1 b:[x y]]`. */
export function goFormat(value: unknown): string {
  if (value === null || value === undefined) return '<nil>'
  if (Array.isArray(value)) return `[${value.map(goFormat).join(' ')}]`
  if (typeof value === 'number') return goFormatNumber(value)
  if (!isJsonObject(value)) return String(value)
  const names = Object.keys(value).sort()
  return `map[${names.map((name) => `${name}:${goFormat(value[name])}`).join(' ')}]`
}

/** Go's %v of a float64 turns to exponents at 1e21 and below 1e-4, as JavaScript nearly does. */
function goFormatNumber(value: number): string {
  if (Number.isInteger(value)) return String(value)
  const text = Math.abs(value) < 1e-4 ? value.toExponential() : String(value)
  return text.replace(/e([+-])(\d)$/, 'e$10$2')
}
