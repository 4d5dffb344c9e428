/** Writes objects as Go writes them: fields in the order of the type, zero values where Go has them, maps sorted. */
import { setField } from './exact-json.ts'
import type { FieldSchema, ListSchema, MapSchema, ObjectSchema, Schema } from './schema.ts'
import { isDroppedWhenZero, isFilledWhenAbsent } from './zero-values.ts'

type Normalizer = (value: unknown) => unknown

const normalizers = new WeakMap<Schema, Normalizer>()

/** The canonical JSON of an object that is known to fit its schema. */
export function encodeObject(schema: ObjectSchema, object: unknown): Buffer {
  return Buffer.from(encodeObjectText(schema, object))
}

export function encodeObjectText(schema: ObjectSchema, object: unknown): string {
  return JSON.stringify(normalize(schema, object))
}

/** A new object in canonical form. Scalars, lists of scalars and unstructured parts are shared with the given one. */
export function normalize<T = unknown>(schema: ObjectSchema, object: T): T {
  return normalizerOf(schema)!(object) as T
}

/** Null for types whose values are canonical as they are. */
function normalizerOf(schema: Schema): Normalizer | null {
  let normalizer = normalizers.get(schema)
  if (normalizer !== undefined) return normalizer
  if (schema.type === 'object') normalizer = compileObject(schema)
  else if (schema.type === 'list') normalizer = compileList(schema)
  else if (schema.type === 'map') normalizer = compileMap(schema)
  else if (schema.type === 'any' && schema.objectForm !== undefined) normalizer = compileUnion(schema.objectForm)
  else return null
  normalizers.set(schema, normalizer)
  return normalizer
}

function compileUnion(objectForm: () => ObjectSchema): Normalizer {
  const normalizeAny: Normalizer = (value) => {
    if (Array.isArray(value)) return value.map(normalizeAny)
    return typeof value === 'object' && value !== null ? normalizerOf(objectForm())!(value) : value
  }
  return normalizeAny
}

type FieldPlan = {
  readonly name: string
  readonly normalize: Normalizer | null
  /** What Go writes for an absent field; undefined: nothing. */
  readonly absent: unknown
  /** Structs are made anew, with their own zero values. */
  readonly absentStruct: Normalizer | null
  readonly dropsZero: boolean
  readonly nullWhenEmpty: boolean
}

function compileObject(schema: ObjectSchema): Normalizer {
  let plan: FieldPlan[] | undefined
  return (value) => {
    plan ??= [...schema.fields.values()].map(planField)
    const source = value as Record<string, unknown>
    const target: Record<string, unknown> = {}
    for (const field of plan) {
      const given = source[field.name]
      if (given === undefined || given === null) {
        if (field.absentStruct !== null) target[field.name] = field.absentStruct({})
        else if (field.absent !== undefined) target[field.name] = field.absent
      } else if (field.dropsZero && isZero(given)) continue
      else if (field.nullWhenEmpty && isZero(given)) target[field.name] = null
      else target[field.name] = field.normalize === null ? given : field.normalize(given)
    }
    if (schema.preserveUnknown) keepUnknown(source, target, schema)
    return target
  }
}

function keepUnknown(source: Record<string, unknown>, target: Record<string, unknown>, schema: ObjectSchema): void {
  for (const name of Object.keys(source).toSorted())
    if (!schema.fields.has(name) && source[name] !== undefined) setField(target, name, source[name])
}

function planField(field: FieldSchema): FieldPlan {
  const { name, schema } = field
  const isFilledStruct = schema.type === 'object' && isFilledWhenAbsent(field)
  return {
    name,
    normalize: normalizerOf(schema),
    absent: absentValue(field),
    absentStruct: isFilledStruct ? normalizerOf(schema) : null,
    dropsZero: isDroppedWhenZero(field),
    nullWhenEmpty: !field.omitEmpty && !field.pointer && ['list', 'map', 'bytes'].includes(schema.type),
  }
}

/** What Go writes for a field that holds its zero value: null for nil lists, maps, bytes, pointers and zero times. */
function absentValue({ schema, pointer, omitEmpty, omitZero }: FieldSchema): unknown {
  if (omitZero === true || (pointer && omitEmpty)) return undefined
  if (pointer) return null
  switch (schema.type) {
    case 'time':
    case 'micro-time':
      return null
    case 'quantity':
      return '0'
    case 'int-or-string':
      return 0
    case 'any':
      return omitEmpty ? undefined : null
    case 'list':
    case 'map':
    case 'bytes':
      return omitEmpty ? undefined : null
    case 'string':
      return omitEmpty ? undefined : ''
    case 'boolean':
      return omitEmpty ? undefined : false
    case 'object':
      return undefined
    default:
      return omitEmpty ? undefined : 0
  }
}

function compileList(schema: ListSchema): Normalizer {
  const normalizeItem = normalizerOf(schema.items)
  if (normalizeItem === null) return (value) => value
  return (value) => (value as unknown[]).map(normalizeItem)
}

function compileMap(schema: MapSchema): Normalizer {
  const normalizeItem = normalizerOf(schema.values)
  return (value) => {
    const source = value as Record<string, unknown>
    const names = Object.keys(source)
    if (names.length > 1) names.sort(compareBytes)
    const target: Record<string, unknown> = {}
    for (const name of names) {
      const item = source[name]
      if (item !== undefined) setField(target, name, normalizeItem === null ? item : normalizeItem(item))
    }
    return target
  }
}

/** JavaScript compares UTF-16 units, Go bytes: they differ only beyond the basic plane. */
const compareBytes = (left: string, right: string): number => (left < right ? -1 : 1)

function isZero(value: unknown): boolean {
  if (value === '' || value === 0 || value === false) return true
  if (Array.isArray(value)) return value.length === 0
  if (typeof value !== 'object' || value === null) return false
  for (const _name in value) return false
  return true
}
