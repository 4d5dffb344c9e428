/** `metadata.managedFields` as a table of managers and the fields they own, and back. */
import type { ManagedFieldsEntry } from '../meta/v1.gen.ts'
import { FieldSet } from './field-set.ts'
import { FieldsFormatError } from './path-element.ts'

/** Who wrote in which way; one entry of managedFields each. */
export type Manager = {
  readonly name: string
  readonly operation: 'Apply' | 'Update'
  /** Version of the API in which the paths are to be read. */
  readonly apiVersion: string
  readonly subresource: string
}

export type Ownership = Manager & {
  readonly set: FieldSet
  /** RFC 3339, to the second; undefined for a manager that only ever agreed with what was there. */
  readonly time: string | undefined
}

/** By manager identity (managerId). */
export type ManagedFields = Map<string, Ownership>

/** An applier is one manager through all versions, an updater is one per version. */
export function managerId({ name, operation, apiVersion, subresource }: Manager): string {
  return JSON.stringify([name, operation, operation === 'Apply' ? '' : apiVersion, subresource])
}

/** An entry that managedFields may not hold. */
export class ManagedFieldsError extends Error {}

/** Throws ManagedFieldsError with upstream's text. */
export function decodeManagedFields(entries: readonly ManagedFieldsEntry[] | undefined): ManagedFields {
  const managed: ManagedFields = new Map()
  for (const [position, entry] of (entries ?? []).entries()) {
    const ownership = decodeEntry(entry, position)
    managed.set(managerId(ownership), ownership)
  }
  return managed
}

function decodeEntry(entry: ManagedFieldsEntry, position: number): Ownership {
  const { operation, apiVersion = '', fieldsType = '' } = entry
  if (operation !== 'Apply' && operation !== 'Update')
    throw new ManagedFieldsError('operation must be `Apply` or `Update`')
  if (apiVersion === '') throw new ManagedFieldsError('apiVersion must not be empty')
  if (fieldsType === '') throw new ManagedFieldsError(`missing fieldsType in managed fields entry ${position}`)
  if (fieldsType !== 'FieldsV1')
    throw new ManagedFieldsError(`invalid fieldsType ${JSON.stringify(fieldsType)} in managed fields entry ${position}`)
  return {
    name: entry.manager ?? '',
    operation,
    apiVersion,
    subresource: entry.subresource ?? '',
    set: decodeSet(entry),
    time: entry.time ?? undefined,
  }
}

function decodeSet(entry: ManagedFieldsEntry): FieldSet {
  try {
    return FieldSet.fromFieldsV1(entry.fieldsV1)
  } catch (error) {
    if (!(error instanceof FieldsFormatError)) throw error
    throw new ManagedFieldsError(`error decoding versioned set: error decoding set: ${error.message}`)
  }
}

/** The entries in upstream's order: appliers first, then by time, name, version and subresource. Undefined when none. */
export function encodeManagedFields(managed: ManagedFields): ManagedFieldsEntry[] | undefined {
  if (managed.size === 0) return undefined
  return [...managed.values()].sort(compareOwnerships).map((ownership) => ({
    manager: ownership.name,
    operation: ownership.operation,
    apiVersion: ownership.apiVersion,
    ...(ownership.time === undefined ? {} : { time: ownership.time }),
    fieldsType: 'FieldsV1',
    fieldsV1: ownership.set.toFieldsV1(),
    ...(ownership.subresource === '' ? {} : { subresource: ownership.subresource }),
  }))
}

function compareOwnerships(left: Ownership, right: Ownership): number {
  return (
    compareTexts(left.operation, right.operation) ||
    secondsOf(left.time) - secondsOf(right.time) ||
    compareTexts(left.name, right.name) ||
    compareTexts(left.apiVersion, right.apiVersion) ||
    compareTexts(left.subresource, right.subresource)
  )
}

export function compareTexts(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0
}

export function secondsOf(time: string | undefined): number {
  return time === undefined ? 0 : Math.floor(Date.parse(time) / 1000)
}

/** `managedFields: []`, `[{}]` and `[null]` ask the server to forget all owners. */
export function isReset(entries: readonly ManagedFieldsEntry[] | undefined): boolean {
  if (entries === undefined || entries === null) return false
  if (entries.length === 0) return true
  return entries.length === 1 && Object.values(entries[0] ?? {}).every((value) => value === undefined || value === '')
}

export function formatTime(timeMs: number): string {
  return new Date(timeMs).toISOString().replace(/\.\d+Z$/, 'Z')
}
