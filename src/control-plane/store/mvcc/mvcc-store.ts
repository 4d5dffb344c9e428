/** The store's behaviour over any journal: revisions, compare-and-swap, reads at a revision, watches, leases and compaction. */
import { assert } from '#base/assert.ts'
import type { Clock } from '#base/clock.ts'
import {
  CompactedError,
  FutureRevisionError,
  StoreClosedError,
  type Entry,
  type RangeOptions,
  type RangeResult,
  type Store,
  type StoreEvent,
  type Watch,
  type WatchOptions,
  type WriteOptions,
  type WriteResult,
} from '../store.ts'
import { EventWindow } from './event-window.ts'
import type { Journal } from './journal.ts'
import type { KeyIndex } from './key-index.ts'
import { LeaseTable } from './lease-table.ts'
import { WatchHub } from './watch-hub.ts'
import { entryOf, type Version } from './version.ts'
import { WriteBatch, eventOf, foundEntry, type QueuedWrite } from './write-batch.ts'

/** Writes in one commit, so that a burst is answered in steps. */
const BATCH_WRITES_MAX = 1000
/** Bytes of values in one commit. */
const BATCH_BYTES_MAX = 8 << 20
/** Values asked of the journal at once. */
const READ_VALUES_MAX = 500
/** Versions forgotten in one step of a compaction: a millisecond or two of work for the disk, between two commits. */
const COMPACT_VERSIONS_MAX = 250

/** What was found on disk at the start. */
export type MvccState = {
  readonly index: KeyIndex
  readonly revision: number
  readonly compactedRevision: number
  readonly leases: readonly { readonly id: number; readonly ttlSeconds: number }[]
  /** Ids up to this one were given to leases before. */
  readonly lastLeaseId: number
}

export type MvccStoreOptions = {
  readonly clock: Clock
  readonly journal: Journal
  readonly state: MvccState
  /** Bytes of recent values that stay in memory for reads by key and for watches. */
  readonly windowBytesMax: number
}

type QueuedLease = {
  readonly kind: 'grant' | 'revoke'
  readonly id: number
  readonly ttlSeconds: number
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

export class MvccStore implements Store {
  readonly #clock: Clock
  readonly #journal: Journal
  readonly #index: KeyIndex
  readonly #window: EventWindow
  readonly #hub: WatchHub
  readonly #leases: LeaseTable
  #revision: number
  #compacted: number
  #writes: QueuedWrite[] = []
  #leaseChanges: QueuedLease[] = []
  #committing: Promise<void> | null = null
  #compacting: Promise<void> = Promise.resolve()
  #closed: Promise<void> | null = null
  readonly #onClose: (() => void)[] = []
  /** Versions that are out of the index, while the journal still holds them (its disk may be full). */
  #unforgotten: number[] = []

  constructor(options: MvccStoreOptions) {
    const { state } = options
    this.#clock = options.clock
    this.#journal = options.journal
    this.#index = state.index
    this.#revision = state.revision
    this.#compacted = state.compactedRevision
    this.#window = new EventWindow({ revision: state.revision + 1, bytesMax: options.windowBytesMax })
    this.#hub = new WatchHub({
      window: this.#window,
      journal: this.#journal,
      currentRevision: () => this.#revision,
      compactedRevision: () => this.#compacted,
    })
    this.#leases = new LeaseTable({
      clock: this.#clock,
      lastId: state.lastLeaseId,
      onExpired: (id) => this.#expire(id),
    })
    for (const { id, ttlSeconds } of state.leases) this.#leases.add(id, ttlSeconds)
    this.#index.eachLeased((key, lease) => this.#leases.rebind(key, 0, lease))
  }

  async get(key: string, revision = 0): Promise<{ entry: Entry | null; revision: number }> {
    this.#assertOpen()
    const at = this.#readableRevision(revision)
    const current = this.#revision
    const version = this.#index.at(key, at)
    if (version === null || version.entry !== null) return { entry: version?.entry ?? null, revision: current }
    const [value] = await this.#readValues([version.modRevision])
    return { entry: entryOf(key, version, value!), revision: current }
  }

  async range(options: RangeOptions): Promise<RangeResult> {
    this.#assertOpen()
    const revision = this.#revision
    const { found, count } = this.#index.range({
      start: options.start,
      end: options.end,
      limit: options.limit ?? 0,
      countOnly: options.countOnly ?? false,
      revision: this.#readableRevision(options.revision ?? 0),
    })
    return { entries: await this.#readEntries(found), count, revision }
  }

  /** Takes what is in memory at once: while the journal reads the rest, values may leave to make room. */
  async #readEntries(found: readonly { readonly key: string; readonly version: Version }[]): Promise<Entry[]> {
    const entries = found.map(({ version }) => version.entry)
    const missing = [...entries.keys()].filter((index) => entries[index] === null)
    for (let at = 0; at < missing.length; at += READ_VALUES_MAX) {
      const slice = missing.slice(at, at + READ_VALUES_MAX)
      const values = await this.#readValues(slice.map((index) => found[index]!.version.modRevision))
      for (const [position, index] of slice.entries()) {
        entries[index] = entryOf(found[index]!.key, found[index]!.version, values[position]!)
      }
    }
    return entries as Entry[]
  }

  write(key: string, options: WriteOptions): Promise<WriteResult> {
    return new Promise((resolve, reject) => {
      if (this.#closed !== null) return reject(new StoreClosedError())
      this.#writes.push({ key, options, resolve, reject })
      this.#startCommits()
    })
  }

  watch(options: WatchOptions): Watch {
    this.#assertOpen()
    return this.#hub.open(options)
  }

  compact(revision: number): Promise<void> {
    const done = this.#compacting.then(() => this.#compact(revision))
    this.#compacting = done.catch(() => {})
    return done
  }

  async currentRevision(): Promise<number> {
    this.#assertOpen()
    return this.#revision
  }

  compactedRevision(): number {
    return this.#compacted
  }

  async grantLease(ttlSeconds: number): Promise<number> {
    const id = this.#leases.takeId()
    await this.#changeLease('grant', id, ttlSeconds)
    return id
  }

  async keepAliveLease(lease: number): Promise<boolean> {
    this.#assertOpen()
    return this.#leases.renew(lease)
  }

  async revokeLease(lease: number): Promise<void> {
    await this.#changeLease('revoke', lease, 0)
  }

  sizeBytes(): Promise<number> {
    return this.#journal.sizeBytes()
  }

  /** Runs `callback` when the store begins to close. */
  onClose(callback: () => void): void {
    this.#onClose.push(callback)
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    for (const callback of this.#onClose) callback()
    this.#leases.stop()
    while (this.#committing !== null) await this.#committing
    await this.#compacting
    this.#hub.closeAll()
    await this.#journal.close()
  }

  #assertOpen(): void {
    if (this.#closed !== null) throw new StoreClosedError()
  }

  #readableRevision(revision: number): number {
    if (revision === 0) return this.#revision
    if (revision > this.#revision) throw new FutureRevisionError(this.#revision)
    if (revision < this.#compacted) throw new CompactedError(this.#compacted)
    return revision
  }

  /** Values of versions that were there a moment ago: one that is missing was compacted meanwhile. */
  async #readValues(revisions: readonly number[]): Promise<readonly Buffer[]> {
    const values = await this.#journal.readValues(revisions)
    return values.map((value) => {
      if (value === null) throw new CompactedError(this.#compacted)
      return value
    })
  }

  #changeLease(kind: 'grant' | 'revoke', id: number, ttlSeconds: number): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#closed !== null) return reject(new StoreClosedError())
      this.#leaseChanges.push({ kind, id, ttlSeconds, resolve, reject })
      this.#startCommits()
    })
  }

  /** A lease whose end cannot be written stays, and is tried again after its time has run once more. */
  #expire(id: number): void {
    this.#changeLease('revoke', id, 0).catch(() => this.#leases.renew(id))
  }

  #startCommits(): void {
    this.#committing ??= this.#commitAll()
  }

  async #commitAll(): Promise<void> {
    // Writers of the same turn share the first commit.
    await Promise.resolve()
    while (this.#writes.length > 0 || this.#leaseChanges.length > 0) await this.#commitOnce()
    this.#committing = null
  }

  async #commitOnce(): Promise<void> {
    const writes = this.#takeWrites()
    const leaseChanges = this.#leaseChanges
    this.#leaseChanges = []
    const batch = new WriteBatch(this.#index, this.#revision)
    const accepted = writes.filter((write) => this.#admit(batch, write))
    for (const change of leaseChanges) this.#stageLease(batch, change)
    const read = batch.missingValues()
    let values: readonly Buffer[]
    try {
      values = await this.#commitToJournal(batch, read)
    } catch (error) {
      for (const write of accepted) write.reject(error as Error)
      for (const change of leaseChanges) change.reject(error as Error)
      return
    }
    this.#apply(batch, new Map(read.map((revision, index) => [revision, values[index]!])))
    for (const change of leaseChanges) this.#applyLease(change)
  }

  async #commitToJournal(batch: WriteBatch, read: readonly number[]): Promise<readonly Buffer[]> {
    if (batch.staged.length === 0 && batch.leases.length === 0 && read.length === 0) return []
    return this.#journal.commit({ rows: batch.rows, leases: batch.leases, read })
  }

  #takeWrites(): QueuedWrite[] {
    let bytes = 0
    let taken = 0
    while (taken < this.#writes.length && taken < BATCH_WRITES_MAX && bytes < BATCH_BYTES_MAX) {
      bytes += this.#writes[taken++]!.options.value?.length ?? 0
    }
    return this.#writes.splice(0, taken)
  }

  #admit(batch: WriteBatch, write: QueuedWrite): boolean {
    const lease = write.options.lease ?? 0
    if (lease !== 0 && !this.#leases.has(lease)) {
      write.reject(new Error(`Cannot write ${JSON.stringify(write.key)}: lease ${lease} does not exist`))
      return false
    }
    batch.add(write)
    return true
  }

  #stageLease(batch: WriteBatch, change: QueuedLease): void {
    if (change.kind === 'grant') batch.leases.push({ id: change.id, ttlSeconds: change.ttlSeconds })
    else if (this.#leases.has(change.id)) {
      batch.leases.push({ id: change.id, ttlSeconds: 0 })
      const bound = new Set([...this.#leases.keysOf(change.id), ...batch.staged.map((staged) => staged.row.key)])
      for (const key of bound) if (batch.newest(key)?.lease === change.id) batch.addDeletion(key)
    }
  }

  #applyLease(change: QueuedLease): void {
    if (change.kind === 'grant') this.#leases.add(change.id, change.ttlSeconds)
    else this.#leases.remove(change.id)
    change.resolve()
  }

  /** Makes a durable batch visible: to reads, then to watches, then to its writers. */
  #apply(batch: WriteBatch, values: ReadonlyMap<number, Buffer>): void {
    const valueOf = (revision: number): Buffer => {
      const value = values.get(revision)
      assert(value !== undefined, `value of revision ${revision} was not read`)
      return value
    }
    const events: StoreEvent[] = []
    for (const staged of batch.staged) {
      const event = eventOf(staged, valueOf)
      this.#index.append(staged.row.key, staged.version)
      this.#leases.rebind(staged.row.key, staged.before?.version.lease ?? 0, staged.row.lease)
      this.#window.push(event, staged.version)
      events.push(event)
    }
    this.#revision = batch.revision
    if (events.length > 0) this.#hub.publish(events)
    for (const { write, row } of batch.staged) write?.resolve({ ok: true, revision: row.revision })
    for (const { write, found, revision } of batch.refused) {
      write.resolve({ ok: false, revision, current: foundEntry(write.key, found, valueOf) })
    }
  }

  async #compact(revision: number): Promise<void> {
    this.#assertOpen()
    if (revision > this.#revision) throw new FutureRevisionError(this.#revision)
    if (revision <= this.#compacted) throw new CompactedError(this.#compacted)
    this.#compacted = revision
    this.#window.forgetBefore(revision)
    for (;;) {
      const before = this.#unforgotten.length
      this.#unforgotten.push(...this.#index.compactSome(revision, COMPACT_VERSIONS_MAX))
      const isLast = this.#unforgotten.length - before < COMPACT_VERSIONS_MAX
      await this.#journal.forget(revision, this.#unforgotten)
      this.#unforgotten = []
      if (isLast || this.#closed !== null) return
    }
  }
}
