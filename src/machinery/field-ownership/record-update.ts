/** The managedFields of an object after a create, an update or a patch other than apply. */
import { isDeepStrictEqual } from 'node:util'
import type { ManagedFieldsEntry } from '../meta/v1.gen.ts'
import { isJsonObject } from '../patch/json-value.ts'
import { normalize } from '../schema/encode.ts'
import type { ObjectSchema } from '../schema/schema.ts'
import { isFilled } from '../schema/zero-values.ts'
import { capUpdateManagers } from './cap-managers.ts'
import type { FieldSet } from './field-set.ts'
import {
  decodeManagedFields,
  encodeManagedFields,
  formatTime,
  isReset,
  ManagedFieldsError,
  managerId,
  type ManagedFields,
  type Manager,
} from './managed-fields.ts'
import {
  findTransfers,
  reconcile,
  SAME_VERSION_ONLY,
  withoutUnowned,
  type OwnershipContext,
  type VersionConverter,
} from './ownership-rules.ts'
import { ItemIdentityError } from './schema-shape.ts'

export type OwnedObject = {
  readonly metadata: { readonly uid?: string; readonly managedFields?: ManagedFieldsEntry[] }
}

export type UpdateRecord = {
  readonly schema: ObjectSchema
  readonly apiVersion: string
  readonly kind: string
  /** The stored object, null for a new one. Not changed. */
  readonly live: OwnedObject | null
  /**
   * The object that the client asks for, defaulted, before the kind's `prepareFor…`, with the managedFields that the
   * client sent. Not changed.
   */
  readonly updated: OwnedObject
  /** `fieldManager` of the request, or the first part of the user agent. */
  readonly manager: string
  readonly subresource: string
  readonly nowMs: number
  /** The client sent `managedFields: []` (resetsManagedFields), which decoding cannot tell from an absent field. */
  readonly resets?: boolean
  readonly resetFields?: FieldSet
  readonly convert?: VersionConverter
}

/** Whether a body, as it was parsed or patched and before it is decoded, asks to forget all owners. */
export function resetsManagedFields(body: unknown): boolean {
  const metadata = isJsonObject(body) ? body.metadata : undefined
  const entries = isJsonObject(metadata) ? metadata.managedFields : undefined
  return Array.isArray(entries) && isReset(entries as ManagedFieldsEntry[])
}

/** What a manager without a name is called. */
export const UNKNOWN_MANAGER = 'unknown'

/** The new managedFields; undefined: the field is absent. */
export function recordUpdate(record: UpdateRecord): ManagedFieldsEntry[] | undefined {
  const { live } = record
  const managed = startingPoint(record)
  // An object without owners keeps it so: someone has asked for that.
  if (managed.size === 0 && live !== null && (live.metadata.uid ?? '') !== '') return undefined
  const before = withoutManagedFields(record, live ?? emptyObject(record))
  const after = withoutManagedFields(record, record.updated)
  if (live === null) keepEmptyLists(after, record.updated)
  try {
    return encodeManagedFields(recordChange(managed, before, after, record))
  } catch (error) {
    // Old objects may hold list items without identity; the write must not fail for that.
    if (error instanceof ItemIdentityError) return live?.metadata.managedFields
    throw error
  }
}

/** A client may send managedFields of its own, but not through a subresource. Invalid ones count as none. */
function startingPoint({ live, updated, subresource, resets }: UpdateRecord): ManagedFields {
  const sent = updated.metadata.managedFields
  if (subresource === '') {
    if (resets === true || isReset(sent)) return new Map()
    const decoded = decodeOrNull(sent)
    if (decoded !== null && decoded.size > 0) return decoded
  }
  return decodeOrNull(live?.metadata.managedFields) ?? new Map()
}

function decodeOrNull(entries: ManagedFieldsEntry[] | undefined): ManagedFields | null {
  try {
    return decodeManagedFields(entries)
  } catch (error) {
    if (error instanceof ManagedFieldsError) return null
    throw error
  }
}

function emptyObject({ apiVersion, kind }: UpdateRecord): unknown {
  return { apiVersion, kind }
}

/** In canonical form, so that zero values compare as absent where Go sees no difference. */
function withoutManagedFields({ schema }: UpdateRecord, object: unknown): unknown {
  const { metadata, ...rest } = object as { metadata?: Record<string, unknown> }
  const { managedFields: _, ...owned } = metadata ?? {}
  return normalize(schema, { ...rest, metadata: owned })
}

/** Go tells an empty list from none where a list is always written: whoever creates an object owns only the former. */
function keepEmptyLists(normalized: unknown, source: unknown): void {
  if (typeof normalized !== 'object' || normalized === null || typeof source !== 'object' || source === null) return
  const [target, origin] = [normalized as Record<string, unknown>, source as Record<string, unknown>]
  for (const name in target)
    if (target[name] === null) {
      const list = origin[name]
      if (Array.isArray(list) && !isFilled(list)) target[name] = []
    } else if (typeof target[name] === 'object') keepEmptyLists(target[name], origin[name])
}

/** Records the writer of a change among the managers; used by apply as well, for objects from before it. */
export function recordChange(
  previous: ManagedFields,
  before: unknown,
  after: unknown,
  record: Pick<UpdateRecord, 'schema' | 'apiVersion' | 'manager' | 'subresource' | 'nowMs' | 'resetFields' | 'convert'>,
): ManagedFields {
  const context: OwnershipContext = {
    schema: record.schema,
    apiVersion: record.apiVersion,
    convert: record.convert ?? SAME_VERSION_ONLY,
    ...(record.resetFields === undefined ? {} : { resetFields: record.resetFields }),
  }
  const managed = reconcile(previous, before, context)
  const { comparison, settle } = findTransfers(managed, { before, after, writer: '' }, context)
  settle()
  let written = comparison.modified.union(comparison.added)
  if (record.resetFields !== undefined) written = written.recursiveDifference(record.resetFields)
  written = withoutUnowned(written)
  if (!written.isEmpty) {
    const manager: Manager = {
      name: record.manager === '' ? UNKNOWN_MANAGER : record.manager,
      operation: 'Update',
      apiVersion: record.apiVersion,
      subresource: record.subresource,
    }
    const id = managerId(manager)
    const owned = managed.get(id)?.set
    managed.set(id, {
      ...manager,
      set: owned === undefined ? written : written.union(owned),
      time: formatTime(record.nowMs),
    })
  }
  capUpdateManagers(managed)
  return managed
}

/**
 * The old entries when the new ones differ in times alone. For objects that are equal otherwise: such a write is no
 * change, and must not become one by its time.
 */
export function withoutTimeChanges(
  old: readonly ManagedFieldsEntry[] | undefined,
  updated: ManagedFieldsEntry[] | undefined,
): ManagedFieldsEntry[] | undefined {
  if (old === undefined || updated === undefined || old.length !== updated.length) return updated
  return updated.every((entry, position) => isSameBesidesTime(entry, old[position]!)) ? [...old] : updated
}

function isSameBesidesTime(left: ManagedFieldsEntry, right: ManagedFieldsEntry): boolean {
  const { time: _left, ...leftRest } = left
  const { time: _right, ...rightRest } = right
  return isDeepStrictEqual(leftRest, rightRest)
}
