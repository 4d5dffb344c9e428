/** Which fields differ between two versions of an object. */
import { isDeepStrictEqual } from 'node:util'
import { isJsonObject, ownField } from '../patch/json-value.ts'
import type { ListSchema, Schema } from '../schema/schema.ts'
import { FieldSet } from './field-set.ts'
import { fieldElement, type PathElement } from './path-element.ts'
import { fieldSchema, itemElement, itemSchema, shapeOf, type Shape } from './schema-shape.ts'

export type Comparison = { readonly added: FieldSet; readonly modified: FieldSet; readonly removed: FieldSet }

/** Undefined is an absent value, null a present one. Throws ItemIdentityError for list items without identity. */
export function compareValues(schema: Schema, before: unknown, after: unknown): Comparison {
  const walk = new CompareWalk()
  walk.compare(schema, before, after)
  return walk.comparison
}

/** Leaves out the paths that a write may not touch. */
export function withoutFields({ added, modified, removed }: Comparison, excluded: FieldSet | undefined): Comparison {
  if (excluded === undefined || excluded.isEmpty) return { added, modified, removed }
  return {
    added: added.recursiveDifference(excluded),
    modified: modified.recursiveDifference(excluded),
    removed: removed.recursiveDifference(excluded),
  }
}

class CompareWalk {
  readonly comparison: Comparison = { added: new FieldSet(), modified: new FieldSet(), removed: new FieldSet() }
  readonly #path: PathElement[] = []

  compare(schema: Schema, before: unknown, after: unknown): void {
    // The same value needs no walk; shared parts of two versions are common.
    if (before === after) return
    const shapeBefore = shapeOf(schema, before)
    const shapeAfter = shapeOf(schema, after)
    let isLeaf: boolean
    if (after === undefined) isLeaf = this.#compareAs(shapeBefore, schema, before, after)
    else {
      if (before !== undefined && shapeBefore !== shapeAfter) this.#compareAs(shapeBefore, schema, before, after)
      isLeaf = this.#compareAs(shapeAfter, schema, before, after)
    }
    if (isLeaf) return
    if (before === undefined) this.comparison.added.insert(this.#path)
    else if (after === undefined) this.comparison.removed.insert(this.#path)
  }

  /** True: the value was compared as a whole. */
  #compareAs(shape: Shape, schema: Schema, before: unknown, after: unknown): boolean {
    if (shape === 'list') return this.#compareLists(schema as ListSchema, before, after)
    if (shape === 'map') return this.#compareMaps(schema, before, after)
    return this.#compareLeaves(before, after)
  }

  #compareLeaves(before: unknown, after: unknown): true {
    if (before === undefined) this.comparison.added.insert(this.#path)
    else if (after === undefined) this.comparison.removed.insert(this.#path)
    else if (!isDeepStrictEqual(before, after)) this.comparison.modified.insert(this.#path)
    return true
  }

  #compareMaps(schema: Schema, before: unknown, after: unknown): boolean {
    const left = isJsonObject(before) ? before : {}
    const right = isJsonObject(after) ? after : {}
    const names = Object.keys(left)
    const rightNames = Object.keys(right)
    if (names.length === 0 && rightNames.length === 0) return this.#compareLeaves(before, after)
    for (const name of names) this.#compareBelow(fieldElement(name), schema, left[name], ownField(right, name))
    for (const name of rightNames)
      if (!Object.hasOwn(left, name)) this.#compareBelow(fieldElement(name), schema, undefined, right[name])
    return false
  }

  #compareBelow(element: PathElement, schema: Schema, before: unknown, after: unknown): void {
    if (before === after) return
    const below = element.startsWith('f:') ? fieldSchema(schema, element.slice(2)).schema : itemSchema(schema)
    this.#path.push(element)
    this.compare(below, before, after)
    this.#path.pop()
  }

  #compareLists(schema: ListSchema, before: unknown, after: unknown): boolean {
    const left = groupItems(schema, before)
    const right = groupItems(schema, after)
    if (left.size === 0 && right.size === 0) return this.#compareLeaves(before, after)
    for (const [element, items] of left) this.#compareItems(schema, element, items, right.get(element) ?? [])
    for (const [element, items] of right) if (!left.has(element)) this.#compareItems(schema, element, [], items)
    return false
  }

  /** Several items may share an identity, which only objects from before stricter validation have. */
  #compareItems(schema: ListSchema, element: PathElement, before: unknown[], after: unknown[]): void {
    const here = [...this.#path, element]
    if (before.length <= 1 && after.length <= 1) this.#compareBelow(element, schema, before[0], after[0])
    else if (before.length > 1 && after.length > 1) {
      if (!isDeepStrictEqual(before, after)) this.comparison.modified.insert(here)
    } else if (before.length > 1) {
      if (after.length > 0) this.#compareBelow(element, schema, undefined, after[0])
      this.comparison.removed.insert(here)
    } else {
      if (before.length > 0) this.#compareBelow(element, schema, before[0], undefined)
      this.comparison.added.insert(here)
    }
  }
}

function groupItems(schema: ListSchema, list: unknown): Map<PathElement, unknown[]> {
  const groups = new Map<PathElement, unknown[]>()
  if (!Array.isArray(list)) return groups
  for (const item of list) {
    const element = itemElement(schema, item)
    const group = groups.get(element)
    if (group === undefined) groups.set(element, [item])
    else group.push(item)
  }
  return groups
}
