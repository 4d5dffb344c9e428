/** The paths of a value: what a manager that applies it owns. And sets seen through a schema. */
import { isJsonObject } from '../patch/json-value.ts'
import type { ListSchema, Schema } from '../schema/schema.ts'
import { FieldSet } from './field-set.ts'
import { fieldElement, type PathElement } from './path-element.ts'
import { fieldSchema, itemElement, itemSchema, shapeOf } from './schema-shape.ts'

/** The value itself stands for no path. The value has been validated before. */
export function fieldSetOf(schema: Schema, value: unknown): FieldSet {
  const set = new FieldSet()
  addPaths(set, schema, value)
  return set
}

/** True: the parent owns the value itself as well. */
function addPaths(set: FieldSet, schema: Schema, value: unknown): boolean {
  const shape = shapeOf(schema, value)
  if (shape === 'leaf') return true
  if (shape === 'list') addItems(set, schema as ListSchema, value)
  else if (isJsonObject(value)) addFields(set, schema, value)
  return false
}

function addFields(set: FieldSet, schema: Schema, value: Record<string, unknown>): void {
  for (const name of Object.keys(value)) {
    const item = value[name]
    if (item === undefined) continue
    const element = fieldElement(name)
    const field = fieldSchema(schema, name)
    const isLeaf = addBelow(set, element, field.schema, item)
    const isEmpty = item === null || (isJsonObject(item) && Object.keys(item).length === 0)
    if (isLeaf || isEmpty || !field.isDeclared) set.members.add(element)
  }
}

function addItems(set: FieldSet, schema: ListSchema, value: unknown): void {
  if (!Array.isArray(value)) return
  const elements = value.map((item) => itemElement(schema, item))
  const seen = new Set<PathElement>()
  const duplicates = new Set<PathElement>()
  for (const element of elements) (seen.has(element) ? duplicates : seen).add(element)
  for (const [position, element] of elements.entries()) {
    // Of items with the same identity only the identity is owned.
    if (!duplicates.has(element)) addBelow(set, element, itemSchema(schema), value[position])
    set.members.add(element)
  }
}

function addBelow(set: FieldSet, element: PathElement, schema: Schema, value: unknown): boolean {
  const below = new FieldSet()
  const isLeaf = addPaths(below, schema, value)
  if (below.members.size > 0 || below.children.size > 0) set.children.set(element, below)
  return isLeaf
}

/** Adds the declared fields on the way to each path: whoever owns a field's content owns the field. */
export function withNamedFields(set: FieldSet, schema: Schema | undefined): FieldSet {
  if (set.children.size === 0) return set
  const members = new Set(set.members)
  const children = new Map<PathElement, FieldSet>()
  for (const [element, child] of set.children) {
    const below = schema === undefined ? undefined : schemaBelow(schema, element)
    if (schema?.type === 'object' && element.startsWith('f:') && schema.fields.has(element.slice(2)))
      members.add(element)
    children.set(element, withNamedFields(child, below))
  }
  return new FieldSet(members, children)
}

function schemaBelow(schema: Schema, element: PathElement): Schema | undefined {
  if (element.startsWith('f:') && (schema.type === 'object' || schema.type === 'map' || schema.type === 'any'))
    return fieldSchema(schema, element.slice(2)).schema
  return element.startsWith('k:') && schema.type === 'list' ? schema.items : undefined
}

/** Paths into what the schema now says is one value (an atomic list or map) become that value's path. */
export function reconcileWithSchema(set: FieldSet, schema: Schema): FieldSet {
  const changed = liftAtomicPaths(set, schema)
  return changed ?? set
}

/** Null: nothing to change, which is the rule. */
function liftAtomicPaths(set: FieldSet, schema: Schema): FieldSet | null {
  let members: Set<PathElement> | null = null
  let children: Map<PathElement, FieldSet> | null = null
  for (const [element, child] of set.children) {
    const below = descendSchema(schema, element)
    if (below === undefined || below.type === 'any') continue
    const isAtomic =
      below.type === 'list' ? below.listType === 'atomic' : 'mapType' in below && below.mapType === 'atomic'
    if (isAtomic) {
      members ??= new Set(set.members)
      children ??= new Map(set.children)
      members.add(element)
      children.delete(element)
      continue
    }
    const lifted = liftAtomicPaths(child, below)
    if (lifted !== null) (children ??= new Map(set.children)).set(element, lifted)
  }
  return members === null && children === null ? null : new FieldSet(members ?? set.members, children ?? set.children)
}

/** Undefined for fields that the schema does not know. */
function descendSchema(schema: Schema, element: PathElement): Schema | undefined {
  if (schema.type === 'object') return schema.fields.get(element.slice(2))?.schema
  if (schema.type === 'map') return schema.values
  return schema.type === 'list' ? schema.items : undefined
}
