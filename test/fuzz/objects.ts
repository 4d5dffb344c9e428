/** Objects of every kind that Kubernetes takes, and the values that each field of their types is seen with. */
import { readFileSync } from 'node:fs'
import { formatApiVersion, type KindDefinition } from '#api/kind.ts'
import { KINDS } from '#api/kinds.ts'
import type { ObjectSchema, Schema } from '#machinery/schema/schema.ts'
import { schemaOf, typeDataOf } from '#machinery/schema/registry.ts'

export type Body = Record<string, unknown>

/** `@NAME@` and `@TOKEN@` stand for the object's name and for something that is the scenario's alone. */
const bodies = JSON.parse(readFileSync(new URL('testdata/objects.json', import.meta.url), 'utf8')) as Body[]

export type KindObjects = { readonly kind: KindDefinition; readonly bodies: readonly Body[] }

export const KIND_OBJECTS: readonly KindObjects[] = KINDS.flatMap((kind) => {
  const found = bodies.filter((body) => body['apiVersion'] === formatApiVersion(kind) && body['kind'] === kind.kind)
  return found.length === 0 ? [] : [{ kind, bodies: found }]
})

const pools = new Map<string, unknown[]>()

/** Values that the objects have in a field of a type, the allowed words of the schema among them. */
export function seenValues(owner: ObjectSchema, field: string): readonly unknown[] {
  if (pools.size === 0) for (const { kind, bodies: found } of KIND_OBJECTS) collectAll(kind, found)
  return pools.get(`${owner.name}.${field}`) ?? []
}

function collectAll(kind: KindDefinition, found: readonly Body[]): void {
  for (const body of found) collect(body, schemaOf(kind.schema))
}

function collect(value: unknown, schema: Schema): void {
  if (Array.isArray(value) && schema.type === 'list') for (const item of value) collect(item, schema.items)
  if (value === null || typeof value !== 'object') return
  if (schema.type === 'map') for (const item of Object.values(value)) collect(item, schema.values)
  if (schema.type !== 'object') return
  for (const [name, item] of Object.entries(value)) {
    const field = schema.fields.get(name)
    if (field === undefined) continue
    const pool = poolOf(schema, name)
    if (pool.length < 40) pool.push(item)
    collect(item, field.schema)
  }
}

function poolOf(owner: ObjectSchema, field: string): unknown[] {
  const key = `${owner.name}.${field}`
  let pool = pools.get(key)
  if (pool === undefined) {
    const row = typeDataOf(owner.name).data.fields?.find(([name]) => name === field)
    pool = [...(row?.[4]?.enum ?? [])]
    pools.set(key, pool)
  }
  return pool
}
