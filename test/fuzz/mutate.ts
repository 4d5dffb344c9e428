/** Changes an object in one place: a field goes, comes, or gets another value, as the schema of its kind has it. */
import type { ObjectSchema, Schema } from '#machinery/schema/schema.ts'
import type { Dice } from './dice.ts'
import { neighbourOf, valueForField, valueOfOtherForm, valueOfSchema } from './values.ts'

type Container = Record<string | number, unknown>

/** Where a value is, or could be. */
export type Place = {
  readonly parent: Container
  readonly key: string | number
  readonly path: readonly (string | number)[]
  readonly schema: Schema
  /** The type of the parent, where the value is a field. */
  readonly owner: ObjectSchema | null
}

export type MutationOptions = {
  /** Share of mutations that put a value of another JSON form in the place. */
  readonly otherForms: number
  /** Fields of the object, at its top, that may change. */
  readonly fields: readonly string[]
}

/** Changes the object in place and says where; null when there is nothing to change. */
export function mutate(body: Container, schema: ObjectSchema, dice: Dice, options: MutationOptions): Place | null {
  const places = placesOf(body, schema, options.fields)
  if (places.length === 0) return null
  const there = places.filter(({ parent, key }) => key in parent)
  const place = dice.pick(there.length > 0 && dice.chance(0.65) ? there : places)
  if (place.key in place.parent) changeValue(place, dice, options)
  else place.parent[place.key] = newValue(place, dice, options)
  return place
}

function newValue({ owner, key, schema }: Place, dice: Dice, { otherForms }: MutationOptions): unknown {
  if (dice.chance(otherForms)) return valueOfOtherForm(dice)
  const field = owner?.fields.get(String(key))
  return field === undefined ? valueOfSchema(schema, dice, 2) : valueForField(owner!, field, dice)
}

function changeValue(place: Place, dice: Dice, options: MutationOptions): void {
  const { parent, key, schema } = place
  const value = parent[key]
  const way = dice.weighted({ drop: 3, neighbour: 4, fresh: 5, list: Array.isArray(value) ? 5 : 0, rename: 0.2 })
  if (way === 'drop') remove(parent, key)
  else if (way === 'list') changeList(value as unknown[], schema, dice)
  else if (way === 'rename') parent[`${key}x`] = value
  else parent[key] = way === 'fresh' ? newValue(place, dice, options) : neighbourOf(value, schema, dice)
}

function remove(parent: Container, key: string | number): void {
  if (Array.isArray(parent)) parent.splice(Number(key), 1)
  else delete parent[key]
}

function changeList(list: unknown[], schema: Schema, dice: Dice): void {
  const at = dice.below(list.length)
  const way = dice.below(4)
  if (way === 0 && list.length > 0) list.push(structuredClone(list[at]))
  else if (way === 1) list.reverse()
  else if (way === 2) list.splice(at, 1)
  else list.push(schema.type === 'list' ? valueOfSchema(schema.items, dice, 2) : null)
}

/** All values below the named fields, and all fields that could be beside them. */
export function placesOf(body: Container, schema: ObjectSchema, fields: readonly string[]): Place[] {
  const places: Place[] = []
  for (const name of fields) {
    const field = schema.fields.get(name)
    if (field === undefined) continue
    visit({ parent: body, key: name, path: [name], schema: field.schema, owner: schema }, places)
  }
  return places
}

function visit(place: Place, places: Place[]): void {
  places.push(place)
  const { schema, path } = place
  const value = place.parent[place.key]
  if (value === null || typeof value !== 'object') return
  const parent = value as Container
  if (schema.type === 'object') {
    for (const field of schema.fields.values())
      visit({ parent, key: field.name, path: [...path, field.name], schema: field.schema, owner: schema }, places)
  } else if (schema.type === 'list' && Array.isArray(value)) {
    for (const i of value.keys())
      visit({ parent, key: i, path: [...path, i], schema: schema.items, owner: null }, places)
  } else if (schema.type === 'map') {
    for (const key of Object.keys(value))
      visit({ parent, key, path: [...path, key], schema: schema.values, owner: null }, places)
  }
}
