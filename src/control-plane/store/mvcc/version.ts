/** One version of one key: what the store knows of it without its value. */
import type { Entry } from '../store.ts'

export type Version = {
  readonly modRevision: number
  /** Of a deletion: 0. */
  readonly createRevision: number
  readonly lease: number
  readonly deleted: boolean
  /** The entry with its value, while it is held in memory; null: the journal has to be asked. */
  entry: Entry | null
}

/** What stands at `modRevision` when the write that made it says so. */
export function versionOf(entry: Entry, deleted: boolean): Version {
  const { modRevision, createRevision, lease } = entry
  return { modRevision, createRevision, lease, deleted, entry }
}

/** The entry of a version whose value is not in memory. */
export function entryOf(key: string, { modRevision, createRevision, lease }: Version, value: Buffer): Entry {
  return { key, value, modRevision, createRevision, lease }
}

/** The version that was current at `revision`; null when the key did not exist then. */
export function versionAt(versions: readonly Version[], revision: number): Version | null {
  for (let index = versions.length - 1; index >= 0; index--) {
    const version = versions[index]!
    if (version.modRevision <= revision) return version.deleted ? null : version
  }
  return null
}
