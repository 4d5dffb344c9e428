/** Strategic merge patch: a merge patch that knows by the schema which lists merge by key, with its `$` directives. */
import { setField } from '../schema/exact-json.ts'
import type { FieldSchema, ObjectSchema, Schema } from '../schema/schema.ts'
import { badRequest } from '../status-error.ts'
import { cloneJson, goFormat, goTypeOf, isJsonObject, ownField, type JsonObject } from './json-value.ts'
import { jsonKind } from './merge-patch.ts'
import { patchFailure } from './patch-failure.ts'
import { mergeLists, orderList, type ListRules } from './strategic-lists.ts'

export const DIRECTIVE = '$patch'
const RETAIN_KEYS = '$retainKeys'
const ORDER_PREFIX = '$setElementOrder'
const DELETE_PREFIX = '$deleteFromPrimitiveList'

/** The patched document, a new one. Throws StatusError 400 or 500 with upstream's texts. */
export function applyStrategicMergePatch(document: JsonObject, patch: unknown, schema: ObjectSchema): JsonObject {
  if (patch !== null && !isJsonObject(patch))
    throw badRequest(`json: cannot unmarshal ${jsonKind(patch)} into Go value of type map[string]interface {}`)
  return mergeMaps(cloneJson(document), cloneJson(patch ?? {}), schema)
}

/** Merges into `original`. Both belong to the caller's copies and are changed. */
export function mergeMaps(original: JsonObject, patch: JsonObject, schema: Schema | undefined): JsonObject {
  if (Object.hasOwn(patch, DIRECTIVE)) return followMapDirective(patch)
  retainKeys(original, patch)
  applyElementOrders(original, patch, schema)
  for (const name of Object.keys(patch)) mergeField({ original, patch, name, schema })
  return original
}

function followMapDirective(patch: JsonObject): JsonObject {
  const directive = patch[DIRECTIVE]
  if (directive === 'delete') return {}
  if (directive !== 'replace')
    throw patchFailure(`unknown patch type: ${goFormat(directive)} in map: ${goFormat(patch)}`)
  delete patch[DIRECTIVE]
  return patch
}

/** `$retainKeys`: all other members of the original go. */
function retainKeys(original: JsonObject, patch: JsonObject): void {
  if (!Object.hasOwn(patch, RETAIN_KEYS)) return
  const kept = patch[RETAIN_KEYS]
  delete patch[RETAIN_KEYS]
  if (!Array.isArray(kept)) throw badRequest('invalid patch format of retainKeys')
  const names = new Set(kept)
  for (const name of Object.keys(patch)) {
    const isDirective = name.startsWith(DELETE_PREFIX) || name.startsWith(ORDER_PREFIX)
    if (patch[name] !== null && !isDirective && !names.has(name)) throw badRequest('invalid patch format of retainKeys')
  }
  for (const name of Object.keys(original)) if (!names.has(name)) delete original[name]
}

type FieldMerge = {
  readonly original: JsonObject
  readonly patch: JsonObject
  readonly name: string
  readonly schema: Schema | undefined
}

function mergeField({ original, patch, name: given, schema }: FieldMerge): void {
  const isDeletion = given.startsWith(DELETE_PREFIX)
  const name = isDeletion ? directiveTarget(given, DELETE_PREFIX, 'primitive list') : given
  const change = patch[given]
  if (change === null) return void delete original[name]
  const current = ownField(original, name)
  if (goTypeOf(current) !== goTypeOf(change)) {
    if (!isDeletion) setOrDelete(original, name, dropNulls(change))
    return
  }
  if (Array.isArray(current) && Array.isArray(change))
    return void setField(original, name, mergeListField({ current, change, name, schema, isDeletion }))
  if (isJsonObject(current) && isJsonObject(change)) {
    const field = fieldOf(schema, name)
    const replaces = strategyOf(field) === 'replace'
    return void setField(original, name, replaces ? change : mergeMaps(current, change, field?.schema))
  }
  setOrDelete(original, name, change)
}

type ListFieldMerge = {
  readonly current: unknown[]
  readonly change: unknown[]
  readonly name: string
  readonly schema: Schema | undefined
  readonly isDeletion: boolean
}

function mergeListField({ current, change, name, schema, isDeletion }: ListFieldMerge): unknown[] {
  const rules = listRules(schema, name)
  if (!rules.merges && !isDeletion) return change
  return mergeLists(current, change, rules, isDeletion)
}

/** `$setElementOrder/<list>`: merges the list at once, and puts the result in that order. */
function applyElementOrders(original: JsonObject, patch: JsonObject, schema: Schema | undefined): void {
  for (const directive of Object.keys(patch)) {
    if (!directive.startsWith(ORDER_PREFIX)) continue
    const order = asList(patch[directive])
    delete patch[directive]
    const name = directiveTarget(directive, ORDER_PREFIX, 'setElementOrder list')
    const current = ownField(original, name)
    const change = ownField(patch, name)
    const currentList = current === undefined ? [] : asList(current)
    const changeList = change === undefined ? [] : asList(change)
    const rules = listRules(schema, name)
    const merge = { order, rules, current: currentList, change: changeList }
    const ordered = orderList({
      ...merge,
      found: { current: current !== undefined, change: change !== undefined },
      withoutDirectives: (list) => removeDirectives(list) as unknown[],
    })
    if (ordered === null) continue
    setField(original, name, ordered)
    delete patch[name]
  }
}

function asList(value: unknown): unknown[] {
  if (Array.isArray(value)) return value
  throw patchFailure(`expected a []interface {}, but received a ${goTypeOf(value)}`)
}

/** `$setElementOrder/containers` -> `containers`. */
function directiveTarget(directive: string, prefix: string, what: string): string {
  if (!directive.startsWith(`${prefix}/`)) throw badRequest(`invalid patch format of ${what}`)
  return directive.slice(prefix.length + 1)
}

/** `retainKeys` beside a strategy says only how patches are made. */
function strategyOf(field: FieldSchema | undefined): string {
  const strategies = (field?.patchStrategy ?? '').split(',').filter((strategy) => strategy !== 'retainKeys')
  return strategies[0] ?? ''
}

function fieldOf(schema: Schema | undefined, name: string): FieldSchema | undefined {
  if (schema?.type !== 'object')
    throw patchFailure(`merging an object in json but data type is not struct, instead is: ${goKindOf(schema)}`)
  const field = schema.fields.get(name)
  if (field === undefined)
    throw patchFailure(
      `unable to find api field in struct ${goStructName(schema)} for the json field ${JSON.stringify(name)}`,
    )
  return field
}

function listRules(schema: Schema | undefined, name: string): ListRules {
  const field = fieldOf(schema, name)
  if (field?.schema.type !== 'list') throw patchFailure('expected slice or array type, but got: struct')
  return {
    merges: strategyOf(field) === 'merge',
    mergeKey: field.patchMergeKey ?? '',
    mergeItems: (current, change) => mergeMaps(current, change, (field.schema as { items: Schema }).items),
  }
}

const goStructName = ({ name }: ObjectSchema): string => name.slice(name.lastIndexOf('.') + 1)

function goKindOf(schema: Schema | undefined): string {
  if (schema?.type === 'map') return 'map'
  return schema?.type === 'list' ? 'slice' : (schema?.type ?? 'invalid')
}

function setOrDelete(target: JsonObject, name: string, value: unknown): void {
  const cleaned = removeDirectives(value)
  if (cleaned === undefined) delete target[name]
  else setField(target, name, cleaned)
}

/** Nulls in a value that meets no counterpart have nothing to remove. */
function dropNulls(value: unknown): unknown {
  if (Array.isArray(value)) for (const item of value) dropNulls(item)
  else if (isJsonObject(value))
    for (const name of Object.keys(value)) {
      if (value[name] === null) delete value[name]
      else dropNulls(value[name])
    }
  return value
}

/** What remains of a new value: maps with a `$patch` directive vanish (undefined). */
function removeDirectives(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(removeDirectives).filter((item) => item !== undefined)
  if (!isJsonObject(value)) return value
  if (Object.hasOwn(value, DIRECTIVE)) return undefined
  for (const name of Object.keys(value)) setOrDelete(value, name, value[name])
  return value
}
