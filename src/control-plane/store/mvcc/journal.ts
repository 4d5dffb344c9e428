/** Where an MVCC store keeps its versions: the disk of the embedded store, nothing but the index for the memory store. */
import type { StoreEvent } from '../store.ts'

/** A new version; `value` is empty for a deletion. */
export type JournalRow = {
  readonly revision: number
  readonly key: string
  readonly createRevision: number
  /** modRevision of the version before, 0 when the key is new. */
  readonly previousRevision: number
  readonly lease: number
  readonly deleted: boolean
  readonly value: Buffer
}

export type LeaseChange = { readonly id: number; /** 0: the lease ended. */ readonly ttlSeconds: number }

export type JournalBatch = {
  readonly rows: readonly JournalRow[]
  readonly leases: readonly LeaseChange[]
  /** Revisions whose values the caller needs with the answer, because only the journal holds them. */
  readonly read: readonly number[]
}

export type EventQuery = {
  readonly first: number
  readonly last: number
  readonly start: string
  readonly end: string
}

export interface Journal {
  /**
   * Makes the batch durable as a whole, or throws and keeps nothing of it. Resolves with the values of `batch.read`. Not called
   * again before it is done.
   */
  commit(batch: JournalBatch): Promise<readonly Buffer[]>
  /** The values of these revisions, in order; null for one that is compacted away. */
  readValues(revisions: readonly number[]): Promise<readonly (Buffer | null)[]>
  /** All events of [first, last] whose keys lie in [start, end), in order. */
  readEvents(query: EventQuery): Promise<readonly StoreEvent[]>
  /** Forgets these versions; from now on reads below `revision` are refused, after a restart too. */
  forget(revision: number, versions: readonly number[]): Promise<void>
  sizeBytes(): Promise<number>
  close(): Promise<void>
}
