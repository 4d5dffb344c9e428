/** JSON merge patch (RFC 7386) as kube-apiserver applies it: null removes, objects merge, everything else replaces. */
import { setField } from '../schema/exact-json.ts'
import { badRequest } from '../status-error.ts'
import { isJsonObject, ownField, type JsonObject } from './json-value.ts'

/** The patched document; unchanged parts are shared with the given one. Throws StatusError 400 for a patch that is none. */
export function applyMergePatch(document: JsonObject, patch: unknown): JsonObject {
  if (patch === null) throw badRequest('Invalid JSON Patch')
  if (!isJsonObject(patch))
    throw badRequest(
      `error decoding patch: json: cannot unmarshal ${jsonKind(patch)} into Go value of type map[string]interface {}`,
    )
  return mergeObjects(document, patch)
}

export function jsonKind(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'boolean') return 'bool'
  return typeof value === 'bigint' ? 'number' : typeof value
}

function mergeObjects(document: JsonObject, patch: JsonObject): JsonObject {
  const merged: JsonObject = { ...document }
  for (const name of Object.keys(patch)) {
    const change = patch[name]
    if (change === null) delete merged[name]
    else setField(merged, name, mergeValue(ownField(merged, name), change))
  }
  return merged
}

function mergeValue(current: unknown, change: unknown): unknown {
  if (current === undefined || current === null || !isJsonObject(current)) return withoutNulls(change)
  return isJsonObject(change) ? mergeObjects(current, change) : change
}

/** Nulls inside a new value name nothing that could be removed; those that are items of lists stay. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls)
  if (!isJsonObject(value)) return value
  const kept: JsonObject = {}
  for (const name of Object.keys(value)) if (value[name] !== null) setField(kept, name, withoutNulls(value[name]))
  return kept
}
