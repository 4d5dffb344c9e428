/** One group commit in the making: decides each compare against what is stored and what the batch itself writes before it. */
import type { Entry, StoreEvent, WriteOptions, WriteResult } from '../store.ts'
import type { JournalRow, LeaseChange } from './journal.ts'
import type { KeyIndex } from './key-index.ts'
import { versionOf, type Version } from './version.ts'

export type QueuedWrite = {
  readonly key: string
  readonly options: WriteOptions
  readonly resolve: (result: WriteResult) => void
  readonly reject: (error: Error) => void
}

type Staged = {
  readonly row: JournalRow
  readonly version: Version
  /** What stood before, deletions included. */
  readonly before: Version | null
  readonly write: QueuedWrite | null
}

/** A compare that failed; `found` may be of this batch, so it is answered only after the batch is durable. */
type Refused = { readonly write: QueuedWrite; readonly found: Version | null; readonly revision: number }

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
    const found = this.newest(write.key)
    const current = found === null || found.deleted ? null : found
    const expected = write.options.expectedRevision
    if ((current?.modRevision ?? 0) !== expected || (current === null && write.options.value === null)) {
      this.refused.push({ write, found: current, revision: this.#revision })
    } else this.#stage(write.key, write.options, write)
  }

  /** Deletes a key because its lease ended. */
  addDeletion(key: string): void {
    this.#stage(key, { expectedRevision: 0, value: null }, null)
  }

  /** Revisions of versions that answers and events of this batch need and that are not in memory, each once. */
  missingValues(): number[] {
    const missing = new Set<number>()
    const look = (version: Version | null): void => {
      if (version !== null && !version.deleted && version.entry === null) missing.add(version.modRevision)
    }
    for (const { before } of this.staged) look(before)
    for (const { found } of this.refused) look(found)
    return [...missing]
  }

  #stage(key: string, options: WriteOptions, write: QueuedWrite | null): void {
    const before = this.newest(key)
    const deleted = options.value === null
    const revision = ++this.#revision
    const createRevision = deleted ? 0 : before === null || before.deleted ? revision : before.createRevision
    const entry: Entry = {
      key,
      value: options.value ?? EMPTY,
      modRevision: revision,
      createRevision,
      lease: deleted ? 0 : (options.lease ?? 0),
    }
    const version = versionOf(entry, deleted)
    const { lease, value } = entry
    const previousRevision = before === null || before.deleted ? 0 : before.modRevision
    const row = { revision, key, createRevision, previousRevision, lease, deleted, value }
    this.staged.push({ row, version, before, write })
    this.#overlay.set(key, version)
  }
}

const EMPTY = Buffer.alloc(0)

/** The event of a staged write; `valueOf` gives values that only the journal held. */
export function eventOf(staged: Staged, valueOf: (revision: number) => Buffer): StoreEvent {
  const { key } = staged.row
  return {
    type: staged.row.deleted ? 'delete' : 'put',
    key,
    entry: staged.version.entry!,
    previous: entryOf(key, staged.before, valueOf),
  }
}

export function entryOf(key: string, version: Version | null, valueOf: (revision: number) => Buffer): Entry | null {
  if (version === null || version.deleted) return null
  if (version.entry !== null) return version.entry
  const { modRevision, createRevision, lease } = version
  return { key, value: valueOf(modRevision), modRevision, createRevision, lease }
}
