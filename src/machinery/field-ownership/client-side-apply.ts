/** The way from client-side apply to server-side apply: what kubectl's last-applied annotation allows, and keeping it true. */
import { isJsonObject, type JsonObject } from '../patch/json-value.ts'
import type { ObjectSchema } from '../schema/schema.ts'
import { compareValues } from './compare.ts'
import type { FieldSet } from './field-set.ts'
import { fieldSetOf } from './field-set-of.ts'
import { findConfigurationProblems } from './validate-configuration.ts'

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'
/** All annotations of an object together. */
const ANNOTATIONS_BYTES_MAX = 256 * 1024

/** Fields that client-side apply set and that still hold what it set; null when there is no usable annotation. */
export function allowedByLastApplied(schema: ObjectSchema, apiVersion: string, live: JsonObject): FieldSet | null {
  const text = annotationsOf(live)[LAST_APPLIED]
  const last = typeof text === 'string' && text !== '' ? parseObject(text) : null
  if (last === null || last.apiVersion !== apiVersion) return null
  if (findConfigurationProblems(schema, last).length > 0 || findConfigurationProblems(schema, live).length > 0)
    return null
  const { added, modified, removed } = compareValues(schema, last, live)
  return fieldSetOf(schema, last).difference(modified).difference(added).difference(removed)
}

/** Writes the configuration into the annotation of an object that has one, so that client-side apply may follow. */
export function refreshLastApplied(object: JsonObject, applied: JsonObject): void {
  const annotations = annotationsOf(object)
  if (typeof annotations[LAST_APPLIED] !== 'string' || annotations[LAST_APPLIED] === '') return
  const refreshed: JsonObject = { ...annotations, [LAST_APPLIED]: lastAppliedText(applied) }
  if (annotationBytes(refreshed) > ANNOTATIONS_BYTES_MAX) delete refreshed[LAST_APPLIED]
  object.metadata = { ...(object.metadata as JsonObject), annotations: refreshed }
}

function annotationsOf(object: JsonObject): JsonObject {
  const { metadata } = object
  const annotations = isJsonObject(metadata) ? metadata.annotations : undefined
  return isJsonObject(annotations) ? annotations : {}
}

function annotationBytes(annotations: JsonObject): number {
  let bytes = 0
  for (const [name, value] of Object.entries(annotations))
    bytes += Buffer.byteLength(name) + Buffer.byteLength(String(value))
  return bytes
}

function parseObject(text: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(text)
    return isJsonObject(value) ? value : null
  } catch {
    return null
  }
}

/** As Go encodes an unstructured object: sorted names, a line break at the end. */
function lastAppliedText(applied: JsonObject): string {
  const metadata = isJsonObject(applied.metadata) ? applied.metadata : {}
  const { [LAST_APPLIED]: _, ...annotations } = annotationsOf(applied)
  const hasAnnotations = isJsonObject(metadata.annotations)
  const object = hasAnnotations ? { ...applied, metadata: { ...metadata, annotations } } : applied
  return `${JSON.stringify(sortNames(object))}\n`
}

function sortNames(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortNames)
  if (!isJsonObject(value)) return value
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((name) => [name, sortNames(value[name])]),
  )
}
