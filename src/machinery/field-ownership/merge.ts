/** Merges an applied configuration into the live object, and takes fields out of it, by the schema's list and map types. */
import { isJsonObject, ownField, type JsonObject } from '../patch/json-value.ts'
import { setField } from '../schema/exact-json.ts'
import type { ListSchema, Schema } from '../schema/schema.ts'
import type { FieldSet } from './field-set.ts'
import { fieldElement, formatPathElement, type PathElement } from './path-element.ts'
import { fieldSchema, itemElement, ItemIdentityError, itemSchema, shapeOf } from './schema-shape.ts'

/** The merged value, sharing unchanged parts; undefined when nothing is left of it. */
export function mergeValues(schema: Schema, live: unknown, applied: unknown): unknown {
  const shape = shapeOf(schema, applied === undefined ? live : applied)
  if (shape === 'list') return mergeLists(schema as ListSchema, live, applied)
  if (shape === 'map') return mergeMaps(schema, live, applied)
  return applied === undefined ? live : applied
}

function mergeMaps(schema: Schema, live: unknown, applied: unknown): unknown {
  const left = isJsonObject(live) ? live : {}
  const right = isJsonObject(applied) ? applied : {}
  const names = new Set([...Object.keys(left), ...Object.keys(right)])
  if (names.size === 0) return applied === undefined ? live : applied
  const merged: JsonObject = {}
  let isEmpty = true
  for (const name of names) {
    const leftValue = ownField(left, name)
    const rightValue = ownField(right, name)
    const value =
      rightValue === undefined ? leftValue : mergeValues(fieldSchema(schema, name).schema, leftValue, rightValue)
    if (value === undefined) continue
    setField(merged, name, value)
    isEmpty = false
  }
  return isEmpty ? undefined : merged
}

type Indexed = { readonly elements: readonly PathElement[]; readonly items: ReadonlyMap<PathElement, unknown> }

/** In the order of the configuration for the items that it names; the others stay where the live list has them. */
function mergeLists(schema: ListSchema, live: unknown, applied: unknown): unknown {
  const leftList: unknown[] = Array.isArray(live) ? live : []
  const rightList: unknown[] = Array.isArray(applied) ? applied : []
  if (leftList.length === 0 && rightList.length === 0) return applied === undefined ? live : applied
  const left = indexItems(schema, leftList, true)
  const right = indexItems(schema, rightList, false)
  const mergeItem = (element: PathElement): unknown =>
    mergeValues(itemSchema(schema), left.items.get(element), right.items.get(element))
  const merged: unknown[] = []
  for (const step of mergeOrder(left, right)) {
    const value = 'live' in step ? leftList[step.live] : mergeItem(step.applied)
    if (value !== undefined) merged.push(value)
  }
  return merged.length > 0 ? merged : undefined
}

type MergeStep = { readonly live: number } | { readonly applied: PathElement }

/** Weaves both lists: items of both keep the configuration's order relative to each other. */
function mergeOrder(left: Indexed, right: Indexed): MergeStep[] {
  const steps: MergeStep[] = []
  const shared = right.elements.filter((element) => left.items.has(element))
  const done = new Set<PathElement>()
  let nextShared = shared.shift()
  let l = 0
  let r = 0
  while (l < left.elements.length || r < right.elements.length) {
    const leftElement = left.elements[l]
    const rightElement = right.elements[r]
    if (leftElement !== undefined && rightElement !== undefined) {
      if (leftElement === rightElement) {
        done.add(leftElement)
        steps.push({ applied: leftElement })
        l++
        r++
        nextShared = shared.shift()
        continue
      }
      if (right.items.has(leftElement) && nextShared !== undefined && nextShared !== leftElement) {
        l++ // Comes later, where the configuration has it.
        continue
      }
    }
    if (leftElement !== undefined) {
      if (!right.items.has(leftElement)) {
        steps.push({ live: l })
        l++
        continue
      }
      if (done.has(leftElement)) l++
    }
    if (rightElement !== undefined) {
      done.add(rightElement)
      steps.push({ applied: rightElement })
      r++
      if (nextShared === rightElement) nextShared = shared.shift()
    }
  }
  return steps
}

/** Items by identity. A duplicate in the live list has no single value, in the configuration it is an error. */
function indexItems(schema: ListSchema, list: readonly unknown[], allowDuplicates: boolean): Indexed {
  const elements: PathElement[] = []
  const items = new Map<PathElement, unknown>()
  for (const item of list) {
    const element = itemElement(schema, item)
    const isDuplicate = items.has(element)
    if (isDuplicate && !allowDuplicates)
      throw new ItemIdentityError(`duplicate entries for key ${formatPathElement(element)}`)
    items.set(element, isDuplicate ? null : item)
    elements.push(element)
  }
  return { elements, items }
}

/** The value without the given paths. What becomes empty by that is null, as upstream leaves it. */
export function removeItems(schema: Schema, value: unknown, removed: FieldSet): unknown {
  const shape = shapeOf(schema, value)
  if (shape === 'map') return removeFields(schema, value, removed)
  if (shape === 'list') return removeListItems(schema as ListSchema, value, removed)
  return schema.type === 'list' || schema.type === 'map' || schema.type === 'object' ? null : value
}

function removeFields(schema: Schema, value: unknown, removed: FieldSet): unknown {
  if (!isJsonObject(value)) return null
  const kept: JsonObject = {}
  let isEmpty = true
  for (const name of Object.keys(value)) {
    const element = fieldElement(name)
    if (value[name] === undefined || removed.members.has(element)) continue
    const below = removed.children.get(element)
    const isTouched = below !== undefined && !below.isEmpty
    const item = isTouched ? removeItems(fieldSchema(schema, name).schema, value[name], below) : value[name]
    setField(kept, name, item)
    isEmpty = false
  }
  return isEmpty ? null : kept
}

function removeListItems(schema: ListSchema, value: unknown, removed: FieldSet): unknown {
  if (!Array.isArray(value)) return null
  const kept: unknown[] = []
  for (const item of value) {
    const element = itemElement(schema, item)
    if (removed.members.has(element)) continue
    const below = removed.children.get(element)
    kept.push(below !== undefined && !below.isEmpty ? removeItems(itemSchema(schema), item, below) : item)
  }
  return kept.length > 0 ? kept : null
}
