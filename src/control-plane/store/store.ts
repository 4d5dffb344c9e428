/**
 * The cluster database: an ordered map of keys to bytes with one growing revision, as Kubernetes expects of etcd.
 * Implementations: embedded/ (default, durable on local disk), memory/ (tests, simulation), etcd/ (later). All of them
 * pass testing/suite.ts.
 *
 * Revisions are etcd's: the store starts at revision 1, each successful write adds 1. Keys are UTF-8 text and sort by
 * bytes. Values are opaque; the buffers handed in and out are shared and never modified by either side.
 */

export type Entry = {
  readonly key: string
  readonly value: Buffer
  /** Revision of the write that made this version. */
  readonly modRevision: number
  /** Revision of the write that created the key. */
  readonly createRevision: number
  /** Id of the lease the key is bound to, 0 for none. */
  readonly lease: number
}

export type RangeOptions = {
  /** First key, inclusive. */
  readonly start: string
  /** End key, exclusive; see `prefixEnd`. */
  readonly end: string
  /** At most this many entries; 0 or missing: all. */
  readonly limit?: number
  /** Read as of this revision; 0 or missing: now. */
  readonly revision?: number
  /** Only count: `entries` stays empty. */
  readonly countOnly?: boolean
}

export type RangeResult = {
  readonly entries: readonly Entry[]
  /** Number of keys in the whole range, beyond `limit` too. */
  readonly count: number
  /** The store's revision when it was read (also for a read of an older one). */
  readonly revision: number
}

export type WriteOptions = {
  /** The key must have this modRevision, 0: must not exist. */
  readonly expectedRevision: number
  /** New value; null deletes (what does not exist: refused, with `current` null). */
  readonly value: Buffer | null
  /** Bind the key to this lease: it is deleted when the lease ends. */
  readonly lease?: number
}

export type WriteResult =
  | { readonly ok: true; readonly revision: number }
  /** The compare failed; `current` is what is there now. */
  | { readonly ok: false; readonly revision: number; readonly current: Entry | null }

export type StoreEvent = {
  readonly type: 'put' | 'delete'
  readonly key: string
  /** The new version; for a delete `value` is empty and modRevision is that of the deletion. */
  readonly entry: Entry
  /** The version before, null when the key is new. */
  readonly previous: Entry | null
}

export type WatchOptions = {
  readonly start: string
  readonly end: string
  /** First revision to report, inclusive. 0: from now on. */
  readonly revision: number
  /**
   * Called with all events of one or more whole revisions, in order, without gaps or duplicates; never re-entered. `revision` is the
   * newest revision that is fully reported; a call without events is progress.
   */
  readonly onEvents: (events: readonly StoreEvent[], revision: number) => void
  /** The watch ended: CompactedError, StoreClosedError, or a broken connection. Called at most once, never after `cancel`. */
  readonly onError: (error: Error) => void
}

export interface Watch {
  /** Stops it; no callback runs afterwards. */
  cancel(): void
  /** Asks for a progress call: soon `onEvents` reports a revision at least as new as the store's now. */
  requestProgress(): void
}

export interface Store {
  get(key: string, revision?: number): Promise<{ readonly entry: Entry | null; readonly revision: number }>
  range(options: RangeOptions): Promise<RangeResult>
  /** Compare-and-swap of one key. Resolves when the write is durable, and visible to `get`, `range` and watches. */
  write(key: string, options: WriteOptions): Promise<WriteResult>
  watch(options: WatchOptions): Watch
  /** Forgets history older than `revision`: reads and watches below it throw CompactedError. */
  compact(revision: number): Promise<void>
  /** Newest revision that is durable here; never blocks. */
  currentRevision(): Promise<number>
  /** Oldest revision that can be read. */
  compactedRevision(): number
  grantLease(ttlSeconds: number): Promise<number>
  /** Renews; false when the lease has already ended. */
  keepAliveLease(lease: number): Promise<boolean>
  revokeLease(lease: number): Promise<void>
  /** Bytes on disk (0 in memory). */
  sizeBytes(): Promise<number>
  /** Waits for running writes, then ends all watches with StoreClosedError. */
  close(): Promise<void>
}

/** The revision asked for is compacted away (etcd's ErrCompacted). */
export class CompactedError extends Error {
  readonly compactedRevision: number
  constructor(compactedRevision: number) {
    super('mvcc: required revision has been compacted')
    this.name = 'CompactedError'
    this.compactedRevision = compactedRevision
  }
}

/** The revision asked for has not happened yet (etcd's ErrFutureRev). */
export class FutureRevisionError extends Error {
  readonly currentRevision: number
  constructor(currentRevision: number) {
    super('mvcc: required revision is a future revision')
    this.name = 'FutureRevisionError'
    this.currentRevision = currentRevision
  }
}

export class StoreClosedError extends Error {
  constructor() {
    super('store is closed')
    this.name = 'StoreClosedError'
  }
}

/** The data folder cannot be used: corrupt, of a newer version, locked, or full. The message says what to do. */
export class StoreUnusableError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'StoreUnusableError'
  }
}

/** The first key after all keys that start with `prefix`. */
export function prefixEnd(prefix: string): string {
  const last = prefix.charCodeAt(prefix.length - 1)
  return prefix.slice(0, -1) + String.fromCharCode(last + 1)
}
