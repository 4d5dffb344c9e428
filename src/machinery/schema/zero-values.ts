/** Which zero values Go writes and which it leaves out: the rules of `omitempty`, pointers and embedded structs. */
import { setField } from './exact-json.ts'
import type { FieldSchema, Schema } from './schema.ts'

/** True: the zero value and the absent field are the same to Go, and the API never shows it. */
export function isDroppedWhenZero({ pointer, omitEmpty, schema }: FieldSchema): boolean {
  if (pointer || !omitEmpty) return false
  return !isStruct(schema) && schema.type !== 'any'
}

/** True: Go holds (and shows) a zero value where the field is absent. */
export function isFilledWhenAbsent({ pointer, omitEmpty, omitZero, schema }: FieldSchema): boolean {
  if (pointer || omitZero === true || schema.type === 'any') return false
  if (schema.type === 'time' || schema.type === 'micro-time') return false
  return !omitEmpty || isStruct(schema)
}

/** Types that are Go structs: `omitempty` means nothing to them. */
function isStruct({ type }: Schema): boolean {
  return (
    type === 'object' || type === 'quantity' || type === 'int-or-string' || type === 'time' || type === 'micro-time'
  )
}

/** A new zero value, as decoded objects hold it. */
export function zeroOf(schema: Schema): unknown {
  switch (schema.type) {
    case 'object': {
      const object: Record<string, unknown> = {}
      for (const field of schema.fields.values())
        if (isFilledWhenAbsent(field)) object[field.name] = zeroOf(field.schema)
      return object
    }
    case 'list':
      return filledWith([])
    case 'map':
      return filledWith({})
    case 'bytes':
      return ''
    default:
      return zeroOfScalar(schema.type)
  }
}

/** What Go holds in a field of such a type that nobody has set; null for one that holds nothing. */
export function zeroOfScalar(type: Schema['type']): string | number | boolean | null {
  switch (type) {
    case 'string':
      return ''
    case 'boolean':
      return false
    case 'int32':
    case 'int64':
    case 'double':
    case 'int-or-string':
      return 0
    case 'quantity':
      return '0'
    default:
      return null
  }
}

const filled = new WeakSet<object>()

function filledWith<T extends object>(empty: T): T {
  filled.add(empty)
  return empty
}

/** True: the list or map stands for none at all, as decoding fills it in; Go tells it from an empty one that was sent. */
export const isFilled = (value: object): boolean => filled.has(value)

const sentEmpty = new WeakMap<object, Set<string>>()

/** Remembers an empty list, map or byte string that was sent and is left out: to Go it is not nil. */
export function noteSentEmpty(object: object, field: string): void {
  const fields = sentEmpty.get(object)
  if (fields === undefined) sentEmpty.set(object, new Set([field]))
  else fields.add(field)
}

/** True: the request that `object` was decoded from held this field, empty. */
export const wasSentEmpty = (object: object, field: string): boolean => sentEmpty.get(object)?.has(field) === true

/** A copy of a decoded object with other fields in place; which empty ones were sent stays known. */
export function withFields<T extends object>(object: T, fields: Partial<T>): T {
  const copy = { ...object, ...fields }
  const known = sentEmpty.get(object)
  if (known !== undefined) sentEmpty.set(copy, new Set([...known].filter((name) => !(name in fields))))
  return copy
}

/** A deep copy of a decoded value, which knows the same of what was sent. */
export function cloneDecoded<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  const copy: object = Array.isArray(value) ? value.map(cloneDecoded) : cloneFields(value)
  if (filled.has(value)) filled.add(copy)
  const known = sentEmpty.get(value)
  if (known !== undefined) sentEmpty.set(copy, new Set(known))
  return copy as T
}

function cloneFields(value: object): object {
  const copy: Record<string, unknown> = {}
  for (const [name, item] of Object.entries(value)) setField(copy, name, cloneDecoded(item))
  return copy
}
