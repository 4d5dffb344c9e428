/** The rules by which a write moves fields between managers, for updates and for server-side apply alike. */
import type { ObjectSchema } from '../schema/schema.ts'
import { compareValues, withoutFields, type Comparison } from './compare.ts'
import { FieldSet } from './field-set.ts'
import { reconcileWithSchema } from './field-set-of.ts'
import type { ManagedFields, Ownership } from './managed-fields.ts'
import type { PathElement } from './path-element.ts'

/** The value of an object in one version of the API. */
export type VersionedValue = { readonly value: unknown; readonly schema: ObjectSchema }

/** An object's other versions. Null: the version is no longer served, and its managers are forgotten. */
export type VersionConverter = (value: VersionedValue, from: string, to: string) => VersionedValue | null

/** For kinds of one version. */
export const SAME_VERSION_ONLY: VersionConverter = (value, from, to) => (from === to ? value : null)

export type OwnershipContext = {
  readonly apiVersion: string
  readonly schema: ObjectSchema
  readonly convert: VersionConverter
  /** Paths that this write may not touch: `status` on the object itself, `spec` on its status. */
  readonly resetFields?: FieldSet
}

export type FieldConflict = { readonly owner: Ownership; readonly path: readonly PathElement[] }

/** Nobody owns these: the server sets them, or they name the object. */
const UNOWNED = FieldSet.of(
  ...[
    ['apiVersion'],
    ['kind'],
    ['metadata'],
    ...[
      'name',
      'namespace',
      'creationTimestamp',
      'selfLink',
      'uid',
      'clusterName',
      'generation',
      'managedFields',
      'resourceVersion',
    ].map((name) => ['metadata', name]),
  ].map((path) => path.map((name) => `f:${name}`)),
)

export function withoutUnowned(set: FieldSet): FieldSet {
  return set.difference(UNOWNED)
}

export type Transfer = {
  readonly before: unknown
  readonly after: unknown
  /** Identity of the writer, whose own entry is left alone. */
  readonly writer: string
}

/**
 * What others lose by a change: fields that it sets (conflicts, unless `before` and `after` agree) and fields that it
 * removes. The table is changed only by `settle`.
 */
export function findTransfers(
  managed: ManagedFields,
  { before, after, writer }: Transfer,
  context: OwnershipContext,
): { comparison: Comparison; conflicts: FieldConflict[]; settle(): void } {
  const comparison = compareIn(context.apiVersion, before, after, context)!
  const byVersion = new Map<string, Comparison | null>([[context.apiVersion, comparison]])
  const conflicts: FieldConflict[] = []
  const losses = new Map<string, FieldSet | null>()
  for (const id of [...managed.keys()].sort()) {
    if (id === writer) continue
    const owner = managed.get(id)!
    const changes = memo(byVersion, owner.apiVersion, () => compareIn(owner.apiVersion, before, after, context))
    if (changes === null) losses.set(id, null)
    else {
      const disputed = owner.set.intersection(changes.modified.union(changes.added))
      for (const path of disputed.paths()) conflicts.push({ owner, path })
      losses.set(id, owner.set.difference(disputed).difference(changes.removed))
    }
  }
  const settle = (): void => {
    for (const [id, set] of losses) {
      if (set === null || set.isEmpty) managed.delete(id)
      else managed.set(id, { ...managed.get(id)!, set })
    }
  }
  return { comparison, conflicts, settle }
}

function compareIn(version: string, before: unknown, after: unknown, context: OwnershipContext): Comparison | null {
  const { apiVersion, schema, convert, resetFields } = context
  if (version === apiVersion) return withoutFields(compareValues(schema, before, after), resetFields)
  const left = convert({ value: before, schema }, apiVersion, version)
  const right = convert({ value: after, schema }, apiVersion, version)
  if (left === null || right === null) return null
  return withoutFields(compareValues(left.schema, left.value, right.value), resetFields)
}

function memo<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  if (!map.has(key)) map.set(key, make())
  return map.get(key)!
}

/** Brings old entries in line with the schema of today. Entries of versions that are gone stay out. */
export function reconcile(managed: ManagedFields, live: unknown, context: OwnershipContext): ManagedFields {
  const reconciled: ManagedFields = new Map()
  const schemas = new Map<string, ObjectSchema | null>([[context.apiVersion, context.schema]])
  for (const [id, owner] of managed) {
    const schema = memo(
      schemas,
      owner.apiVersion,
      () =>
        context.convert({ value: live, schema: context.schema }, context.apiVersion, owner.apiVersion)?.schema ?? null,
    )
    if (schema === null) continue
    const set = reconcileWithSchema(owner.set, schema)
    reconciled.set(id, set === owner.set ? owner : { ...owner, set })
  }
  return reconciled
}
