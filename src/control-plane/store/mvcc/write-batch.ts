/** One group commit in the making: decides each compare against what is stored and what the batch itself writes before it. */
import type { Entry, StoreEvent, WriteOptions, WriteResult } from '../store.ts'
import type { JournalRow, LeaseChange } from './journal.ts'
import type { KeyIndex } from './key-index.ts'
import { entryOf, versionOf, type Version } from './version.ts'

export type QueuedWrite = {
  readonly key: string
  readonly options: WriteOptions
  readonly resolve: (result: WriteResult) => void
  readonly reject: (error: Error) => void
}

/**
 * A version that the batch found. The entry is held here: while the batch is on its way to the disk, the version itself may lose it
 * to make room in memory.
 */
type Found = { readonly version: Version; readonly entry: Entry | null }

type Staged = {
  readonly row: JournalRow
  readonly entry: Entry
  readonly version: Version
  /** What stood before, unless it was a deletion. */
  readonly before: Found | null
  readonly write: QueuedWrite | null
}

/** A compare that failed; `found` may be of this batch, so it is answered only after the batch is durable. */
type Refused = { readonly write: QueuedWrite; readonly found: Found | null; readonly revision: number }

export class WriteBatch {
  readonly staged: Staged[] = []
  readonly refused: Refused[] = []
  readonly leases: LeaseChange[] = []
  readonly #index: KeyIndex
  readonly #overlay = new Map<string, Version>()
  #revision: number

  constructor(index: KeyIndex, revision: number) {
    this.#index = index
    this.#revision = revision
  }

  get revision(): number {
    return this.#revision
  }

  get rows(): JournalRow[] {
    return this.staged.map((staged) => staged.row)
  }

  newest(key: string): Version | null {
    return this.#overlay.get(key) ?? this.#index.newest(key)
  }

  add(write: QueuedWrite): void {
    const found = this.#find(write.key)
    const revision = found?.version.modRevision ?? 0
    if (revision !== write.options.expectedRevision || (found === null && write.options.value === null)) {
      this.refused.push({ write, found, revision: this.#revision })
    } else this.#stage(write.key, write.options, write)
  }

  /** Deletes a key because its lease ended. */
  addDeletion(key: string): void {
    this.#stage(key, { expectedRevision: 0, value: null }, null)
  }

  /** Revisions of versions that answers and events of this batch need and that are not in memory, each once. */
  missingValues(): number[] {
    const missing = new Set<number>()
    const look = (found: Found | null): void => {
      if (found !== null && found.entry === null) missing.add(found.version.modRevision)
    }
    for (const { before } of this.staged) look(before)
    for (const { found } of this.refused) look(found)
    return [...missing]
  }

  #find(key: string): Found | null {
    const version = this.newest(key)
    return version === null || version.deleted ? null : { version, entry: version.entry }
  }

  #stage(key: string, options: WriteOptions, write: QueuedWrite | null): void {
    const before = this.#find(key)
    const deleted = options.value === null
    const modRevision = ++this.#revision
    const createRevision = deleted ? 0 : (before?.version.createRevision ?? modRevision)
    const value = options.value ?? EMPTY
    const lease = deleted ? 0 : (options.lease ?? 0)
    const previousRevision = before?.version.modRevision ?? 0
    const row = { revision: modRevision, key, createRevision, previousRevision, lease, deleted, value }
    const entry: Entry = { key, value, modRevision, createRevision, lease }
    const version = versionOf(entry, deleted)
    this.staged.push({ row, entry, version, before, write })
    this.#overlay.set(key, version)
  }
}

const EMPTY = Buffer.alloc(0)

/** The event of a staged write; `valueOf` gives values that only the journal held. */
export function eventOf({ row, entry, before }: Staged, valueOf: (revision: number) => Buffer): StoreEvent {
  return { type: row.deleted ? 'delete' : 'put', key: row.key, entry, previous: foundEntry(row.key, before, valueOf) }
}

export function foundEntry(key: string, found: Found | null, valueOf: (revision: number) => Buffer): Entry | null {
  if (found === null) return null
  return found.entry ?? entryOf(key, found.version, valueOf(found.version.modRevision))
}
