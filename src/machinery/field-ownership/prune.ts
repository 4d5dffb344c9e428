/** Takes out of a merged object what its manager applied last time, no longer applies, and nobody else owns. */
import type { Schema } from '../schema/schema.ts'
import { FieldSet } from './field-set.ts'
import { fieldSetOf, withNamedFields } from './field-set-of.ts'
import type { ManagedFields, Ownership } from './managed-fields.ts'
import { removeItems } from './merge.ts'
import type { OwnershipContext, VersionedValue } from './ownership-rules.ts'

export type Pruning = {
  /** With the writer's new fields. */
  readonly managed: ManagedFields
  /** What the writer applied last time. */
  readonly last: Ownership | undefined
  readonly context: OwnershipContext
}

export function pruneAbandoned(merged: unknown, { managed, last, context }: Pruning): unknown {
  if (last === undefined || last.set.isEmpty) return merged
  const { apiVersion, schema, convert } = context
  const inLastVersion = convert({ value: merged, schema }, apiVersion, last.apiVersion)
  if (inLastVersion === null) return merged
  const whole: VersionedSource = { ...inLastVersion, version: last.apiVersion }
  let pruned = removeItems(whole.schema, whole.value, withNamedFields(last.set, whole.schema))
  pruned = addBackOwned(whole, pruned, managed, context)
  pruned = addBackDangling(whole, pruned, last.set)
  const back = convert({ value: pruned, schema: whole.schema }, last.apiVersion, apiVersion)
  return back === null ? pruned : back.value
}

type VersionedSource = VersionedValue & { readonly version: string }

/** What any manager owns comes back, parents included; the version of the pruned object goes first. */
function addBackOwned(
  whole: VersionedSource,
  pruned: unknown,
  managed: ManagedFields,
  { convert }: OwnershipContext,
): unknown {
  const byVersion = new Map<string, FieldSet>()
  byVersion.set(whole.version, new FieldSet())
  for (const owner of managed.values())
    byVersion.set(owner.apiVersion, (byVersion.get(owner.apiVersion) ?? new FieldSet()).union(owner.set))
  let result = pruned
  for (const [version, owned] of byVersion) {
    const source = convert(whole, whole.version, version)
    const target = convert({ value: result, schema: whole.schema }, whole.version, version)
    if (source === null || target === null) continue
    const kept = keepOwned(source.schema, source.value, target.value, owned)
    const back = convert({ value: kept, schema: source.schema }, version, whole.version)
    if (back !== null) result = back.value
  }
  return result
}

function keepOwned(schema: Schema, whole: unknown, pruned: unknown, owned: FieldSet): unknown {
  const all = withNamedFields(fieldSetOf(schema, whole), schema)
  const kept = withNamedFields(fieldSetOf(schema, pruned), schema).union(withNamedFields(owned, schema))
  return removeItems(schema, whole, all.difference(kept))
}

/** Only what the manager applied last time may go: fields that nobody owns stay, even below a removed one. */
function addBackDangling({ schema, value }: VersionedValue, pruned: unknown, last: FieldSet): unknown {
  const all = withNamedFields(fieldSetOf(schema, value), schema)
  const kept = withNamedFields(fieldSetOf(schema, pruned), schema)
  return removeItems(schema, value, all.difference(kept).intersection(withNamedFields(last, schema)))
}
