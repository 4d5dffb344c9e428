/** Names unknown and duplicate fields in the order of the body, for bodies that were parsed without loss. */
import { ExactObject, type ExactValue } from './exact-json.ts'
import type { Schema } from './schema.ts'

/** Upstream stops collecting here. */
export const PROBLEMS_MAX = 100

export function findProblems(schema: Schema, value: ExactValue): string[] {
  const problems = new Set<string>()
  visit(schema, value, { path: '', problems })
  return [...problems].slice(0, PROBLEMS_MAX)
}

type Place = { readonly path: string; readonly problems: Set<string> }

function visit(schema: Schema, value: ExactValue, place: Place): void {
  if (Array.isArray(value)) {
    const items = schema.type === 'list' ? schema.items : ANY
    for (const [position, item] of value.entries()) visit(items, item, { ...place, path: `${place.path}[${position}]` })
  } else if (value instanceof ExactObject) visitObject(schema, value, place)
}

const ANY: Schema = { type: 'any' }

function visitObject(schema: Schema, { entries }: ExactObject, { path, problems }: Place): void {
  const seen = new Set<string>()
  for (const [name, item] of entries) {
    const itemPath = path === '' ? name : `${path}.${name}`
    const itemSchema = schemaOfField(schema, name)
    if (itemSchema === null) {
      problems.add(`unknown field ${JSON.stringify(itemPath)}`)
      continue
    }
    if (seen.has(name)) problems.add(`duplicate field ${JSON.stringify(itemPath)}`)
    seen.add(name)
    // What has a decoder of its own is opaque to upstream's check.
    if (itemSchema.type !== 'any') visit(itemSchema, item, { path: itemPath, problems })
  }
}

function schemaOfField(schema: Schema, name: string): Schema | null {
  if (schema.type === 'map') return schema.values
  if (schema.type !== 'object') return ANY
  return schema.fields.get(name)?.schema ?? (schema.preserveUnknown ? ANY : null)
}

/** Duplicate fields of a value that no schema describes. */
export function findDuplicates(value: ExactValue, path = '', found = new Set<string>()): string[] {
  if (Array.isArray(value))
    for (const [position, item] of value.entries()) findDuplicates(item, `${path}[${position}]`, found)
  if (value instanceof ExactObject) {
    const seen = new Set<string>()
    for (const [name, item] of value.entries) {
      const itemPath = path === '' ? name : `${path}.${name}`
      if (seen.has(name)) found.add(`duplicate field ${JSON.stringify(itemPath)}`)
      seen.add(name)
      findDuplicates(item, itemPath, found)
    }
  }
  return [...found].slice(0, PROBLEMS_MAX)
}
