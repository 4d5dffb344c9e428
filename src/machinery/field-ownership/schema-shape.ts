/** How ownership sees a value: as one leaf, as a map of fields, or as a list whose items have identities. */
import type { ListSchema, Schema } from '../schema/schema.ts'
import { isJsonObject } from '../patch/json-value.ts'
import { keyElement, valueElement, type KeyField, type PathElement } from './path-element.ts'

export type Shape = 'leaf' | 'list' | 'map'

/** Values that no schema describes: maps have fields, lists are one leaf. */
export const DEDUCED: Schema = { type: 'any' }

/** RawExtensions are one leaf, other values without a type are taken as they look. */
const isAtomicAny = (schema: Schema): boolean => schema.type === 'any' && schema.goType === 'runtime.RawExtension'

/** Absent and null values take the shape that the schema gives; undescribed ones count as maps then. */
export function shapeOf(schema: Schema, value: unknown): Shape {
  switch (schema.type) {
    case 'object':
    case 'map':
      return schema.mapType === 'atomic' ? 'leaf' : 'map'
    case 'list':
      return schema.listType === 'atomic' ? 'leaf' : 'list'
    case 'any':
      if (isAtomicAny(schema)) return 'leaf'
      return value === undefined || value === null || isJsonObject(value) ? 'map' : 'leaf'
    default:
      return 'leaf'
  }
}

/** The schema of a field, and whether the type declares it (keys of maps are not declared). */
export function fieldSchema(schema: Schema, name: string): { schema: Schema; isDeclared: boolean } {
  if (schema.type === 'object') {
    const field = schema.fields.get(name)
    if (field !== undefined) return { schema: field.schema, isDeclared: true }
  }
  return { schema: schema.type === 'map' ? schema.values : DEDUCED, isDeclared: false }
}

export function itemSchema(schema: Schema): Schema {
  return schema.type === 'list' ? schema.items : DEDUCED
}

export class ItemIdentityError extends Error {}

/** The identity of a list's item: its keys, or the value itself. Throws ItemIdentityError with upstream's text. */
export function itemElement(schema: ListSchema, item: unknown): PathElement {
  return schema.listMapKeys.length > 0 ? keyedItem(schema, item) : setItem(item)
}

function setItem(item: unknown): PathElement {
  if (Array.isArray(item)) throw new ItemIdentityError('not supported: associative list with lists as elements')
  if (item === null) throw new ItemIdentityError("associative list without keys has an element that's an explicit null")
  if (typeof item === 'object')
    throw new ItemIdentityError("associative list without keys has an element that's a map type")
  return valueElement(item)
}

function keyedItem(schema: ListSchema, item: unknown): PathElement {
  if (item === null) throw new ItemIdentityError('associative list with keys may not have a null element')
  if (!isJsonObject(item)) throw new ItemIdentityError('associative list with keys may not have non-map elements')
  const keys: KeyField[] = []
  for (const name of schema.listMapKeys) {
    const value = Object.hasOwn(item, name) ? item[name] : keyDefault(schema.items, name)
    if (value !== undefined) keys.push([name, value])
  }
  if (keys.length === 0)
    throw new ItemIdentityError(
      `associative list with keys has an element that omits all key fields [${schema.listMapKeys.map((name) => JSON.stringify(name)).join(' ')}] (and doesn't have default values for any key fields)`,
    )
  return keyElement(keys)
}

function keyDefault(items: Schema, name: string): unknown {
  return items.type === 'object' ? (items.fields.get(name)?.default ?? undefined) : undefined
}
