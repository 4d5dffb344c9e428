/** Which zero values Go writes and which it leaves out: the rules of `omitempty`, pointers and embedded structs. */
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
      return filledList()
    case 'map':
      return {}
    case 'string':
    case 'bytes':
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

const filledLists = new WeakSet<unknown[]>()

function filledList(): unknown[] {
  const list: unknown[] = []
  filledLists.add(list)
  return list
}

/** True: the list stands for none at all, as decoding fills it in; Go tells it from an empty one that was sent. */
export const isFilledList = (list: unknown[]): boolean => filledLists.has(list)

const sentEmpty = new WeakMap<object, Set<string>>()

/** Remembers an empty list that was sent and is left out: some defaults are only for lists that were not sent at all. */
export function noteSentEmpty(object: object, field: string): void {
  const fields = sentEmpty.get(object)
  if (fields === undefined) sentEmpty.set(object, new Set([field]))
  else fields.add(field)
}

/** True: the request that `object` was decoded from held this list, empty (to Go: not nil). */
export const wasSentEmpty = (object: object, field: string): boolean => sentEmpty.get(object)?.has(field) === true
