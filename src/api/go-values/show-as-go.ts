/** Writes the bad values of field errors as kube-apiserver does: JSON of its internal types, found by the error's path. */
import { WrittenValue, type ShowBadValue } from '#machinery/field-error.ts'
import { normalize } from '#machinery/schema/encode.ts'
import { schemaOf } from '#machinery/schema/registry.ts'
import type { FieldSchema, ListSchema, ObjectSchema, Schema } from '#machinery/schema/schema.ts'
import { writeGoJson } from './go-json.ts'
import { goFieldOf, goValueOf, plainNode } from './go-value.ts'
import { unifiedDiff } from './unified-diff.ts'

/** For the errors about one object of a type. */
export function showAsGo(schema: ObjectSchema, object: unknown): ShowBadValue {
  return (value, path) => {
    const steps = walk(schema, object, path)
    if (value === undefined) return steps === null ? null : showAbsent(steps.at(-1)!)
    const found = steps === null ? null : typeOfValue(steps, value)
    return writeGoJson(found === null ? plainNode(value) : goValueOf(found, value))
  }
}

/** For a value that is not where the error's path leads: a pointer to a type by its full name. */
export function asGo(typeName: string, value: object | undefined): WrittenValue {
  return new WrittenValue(value === undefined ? 'null' : writeGoJson(goValueOf(schemaOf(typeName), value)))
}

/** For a field that is not where the error's path leads. */
export function asGoField<T extends object>(typeName: string, owner: T, field: keyof T & string): WrittenValue {
  const found = schemaOf(typeName).fields.get(field)!
  return new WrittenValue(writeGoJson(goFieldOf(owner as Readonly<Record<string, unknown>>, found)))
}

/** For a value of a check that upstream runs on the type of the API (declarative validation). */
export function asSent(typeName: string, value: object): WrittenValue {
  return new WrittenValue(writeGoJson(plainNode(normalize(schemaOf(typeName), value))))
}

/** Line by line, how kube-apiserver shows what differs between two values of a type, or two lists of them. */
export function diffAsGo(typeName: string, before: object, after: object): string {
  const schema = Array.isArray(before) ? listOf(schemaOf(typeName)) : schemaOf(typeName)
  const [old, wanted] = [before, after].map((value) => writeGoJson(goValueOf(schema, value), ' '))
  return unifiedDiff(old!, wanted!)
}

const listOf = (items: Schema): ListSchema => ({ type: 'list', items, listType: 'atomic', listMapKeys: [] })

type Step = {
  readonly schema: Schema
  /** The value there and, for a field of an object, where it is from. */
  readonly value: unknown
  readonly owner?: { readonly object: Readonly<Record<string, unknown>>; readonly field: FieldSchema }
}

const SEGMENT = /[^.[\]]+|\[[^\]]*\]/g

/** The types and values along a path; null when it leads out of the type. */
function walk(schema: ObjectSchema, object: unknown, path: string): Step[] | null {
  const steps: Step[] = [{ schema, value: object }]
  for (const [segment] of path.matchAll(SEGMENT)) {
    const step = stepInto(steps.at(-1)!, segment.replaceAll(/[[\]]/g, ''))
    if (step === null) return null
    steps.push(step)
  }
  return steps
}

function stepInto({ schema, value }: Step, segment: string): Step | null {
  const object = (typeof value === 'object' && value !== null ? value : {}) as Readonly<Record<string, unknown>>
  if (schema.type === 'list') return { schema: schema.items, value: object[segment] }
  if (schema.type === 'map') return { schema: schema.values, value: object[segment] }
  const field = schema.type === 'object' ? schema.fields.get(segment) : undefined
  return field === undefined ? null : { schema: field.schema, value: object[segment], owner: { object, field } }
}

function showAbsent({ owner }: Step): string | null {
  return owner === undefined ? null : writeGoJson(goFieldOf(owner.object, owner.field))
}

/** The type at the path, or that of the nearest owner that the value fits: some errors about a field show what it belongs to. */
function typeOfValue(steps: readonly Step[], value: unknown): Schema | null {
  for (const { schema } of steps.toReversed()) {
    if (isOfType(schema, value)) return schema
    if (schema.type === 'list' && isOfType(schema.items, value)) return schema.items
    if (isOfType(listOf(schema), value)) return listOf(schema)
  }
  return null
}

function isOfType(schema: Schema, value: unknown): boolean {
  if (Array.isArray(value)) return schema.type === 'list' && value.every((item) => isOfType(schema.items, item))
  if (typeof value !== 'object' || value === null)
    return schema.type !== 'object' && schema.type !== 'list' && schema.type !== 'map'
  if (schema.type === 'object') return Object.keys(value).every((name) => schema.fields.has(name))
  return schema.type === 'map' || schema.type === 'any'
}
