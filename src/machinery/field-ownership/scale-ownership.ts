/** Translates ownership between a scalable object and its `scale`: both speak of the same number of replicas. */
import type { ManagedFieldsEntry } from '../meta/v1.gen.ts'
import { FieldSet } from './field-set.ts'
import { decodeManagedFields, encodeManagedFields, type ManagedFields } from './managed-fields.ts'
import { fieldElement, type PathElement } from './path-element.ts'

const SCALE_VERSION = 'autoscaling/v1'
const REPLICAS_IN_SCALE: readonly PathElement[] = ['f:spec', 'f:replicas']

/**
 * Where each version of the parent keeps its replicas (`apps/v1` -> `spec.replicas`). Null: nowhere, its managers are
 * kept as they are.
 */
export type ReplicasPaths = Readonly<Record<string, string | null>>

function pathIn(paths: ReplicasPaths, apiVersion: string): readonly PathElement[] | null | undefined {
  const path = paths[apiVersion]
  return typeof path === 'string' ? path.split('.').filter(Boolean).map(fieldElement) : path
}

/** The managedFields that the Scale object shows. */
export function scaleManagedFields(
  parent: ManagedFieldsEntry[] | undefined,
  paths: ReplicasPaths,
): ManagedFieldsEntry[] | undefined {
  const shown: ManagedFields = new Map()
  for (const [id, owner] of decodeManagedFields(parent)) {
    const path = pathIn(paths, owner.apiVersion)
    if (path === undefined || path === null || !owner.set.has(path)) continue
    shown.set(id, { ...owner, apiVersion: SCALE_VERSION, set: FieldSet.of(REPLICAS_IN_SCALE) })
  }
  return encodeManagedFields(shown)
}

/** The parent's managedFields after a write to its Scale. */
export function parentManagedFields(
  parent: ManagedFieldsEntry[] | undefined,
  scale: ManagedFieldsEntry[] | undefined,
  { paths, apiVersion }: { readonly paths: ReplicasPaths; readonly apiVersion: string },
): ManagedFieldsEntry[] | undefined {
  const before = decodeManagedFields(parent)
  // Times of scale entries follow those of the parent: a new one has none.
  const times = new Map([...before].map(([id, { time }]) => [id, time]))
  const remaining = decodeManagedFields(scale)
  const result: ManagedFields = new Map()
  for (const [id, owner] of before) {
    const path = pathIn(paths, owner.apiVersion)
    if (path === undefined) continue
    if (path === null || !owner.set.has(path)) result.set(id, owner)
    else if (remaining.delete(id)) result.set(id, owner)
    else {
      const set = owner.set.difference(FieldSet.of(path))
      if (!set.isEmpty) result.set(id, { ...owner, set })
    }
  }
  const ownPath = pathIn(paths, apiVersion) ?? []
  for (const [id, owner] of remaining)
    if (owner.set.has(REPLICAS_IN_SCALE))
      result.set(id, { ...owner, apiVersion, set: FieldSet.of(ownPath), time: times.get(id) })
  return encodeManagedFields(result)
}
