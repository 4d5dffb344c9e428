/** All objects of one resource in memory, in step with the store: answers get, list and watch of the API server. */
import type { Clock } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import { SortedRecords } from '#base/sorted-records.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import type { Entry, Store, StoreEvent } from '../../store/store.ts'
import type { ServedWatchEvent, WatchStream } from '../request.ts'
import { BookmarkClock } from './bookmark-clock.ts'
import { CacheEvent, plainEvent, type Matches } from './cache-event.ts'
import { CachedObject, type CachedObjectShape } from './cached-object.ts'
import { notReady, parseResourceVersion } from './errors.ts'
import { EventHistory } from './event-history.ts'
import { Freshness } from './freshness.ts'
import { planList } from './list-plan.ts'
import { ListReader, type ListResult } from './list-reader.ts'
import { StoreFeed } from './store-feed.ts'
import { WatchOpener, type WatchRequest } from './watch-opener.ts'
import { WatcherIndex } from './watcher-index.ts'

/** History of changes per resource; upstream's upper bound is 102,400 events, whatever their size. */
const HISTORY_LIMITS = { eventsMax: 50_000, bytesMax: 32 << 20 }

export type ResourceCacheOptions = {
  readonly store: Store
  readonly clock: Clock
  readonly log: Logger
  /** Where the objects live, with the slash at the end: `/registry/pods/`. */
  readonly prefix: string
  readonly namespaced: boolean
  /** An object of the kind without content, for bookmarks: apiVersion, kind, and what upstream writes of an empty one. */
  readonly emptyObject: Readonly<Record<string, unknown>>
  readonly selectableFields: Readonly<Record<string, (object: never) => string>>
  /**
   * A selectable field that many watchers ask for with one value each (`spec.nodeName` of pods). Its value must be the plain text at
   * its path, '' when missing.
   */
  readonly indexedField?: string
  /** Bytes of the store to JSON, for values that are encrypted at rest. */
  readonly fromStorage?: (value: Buffer, key: string) => Buffer
  /** Freezes shared objects: in tests. */
  readonly freeze?: boolean
}

export type ListOptions = {
  /** '' or missing: all. */
  readonly namespace?: string
  /** Only the object of this name (a list or a field selector that names it). */
  readonly name?: string
  /** Selectors; null or missing: everything. Look at `labels()` and `field()` first: `object()` decodes. */
  readonly matches?: Matches | null
  readonly limit?: number
  readonly continue?: string
  readonly resourceVersion?: string
  readonly resourceVersionMatch?: string
}

export class ResourceCache {
  readonly #options: ResourceCacheOptions
  readonly #shape: CachedObjectShape
  readonly #records = new SortedRecords<CachedObject>()
  readonly #history = new EventHistory(HISTORY_LIMITS)
  readonly #watchers: WatcherIndex
  readonly #bookmarks: BookmarkClock
  readonly #freshness: Freshness
  readonly #feed: StoreFeed
  readonly #lists: ListReader
  readonly #watches: WatchOpener
  /** Decoded objects by the bytes that were made of them, until those arrive from the store. */
  readonly #decoded = new WeakMap<Buffer, KubernetesObject>()
  #changedRevision = 0
  #bytes = 0
  #eventsReceived = 0
  #started = false

  constructor(options: ResourceCacheOptions) {
    this.#options = options
    const { prefix, namespaced, selectableFields, store, clock, log, indexedField } = options
    this.#shape = {
      prefix,
      namespaced,
      selectableFields,
      indexedField: indexedField ?? null,
      freeze: options.freeze ?? false,
    }
    this.#watchers = new WatcherIndex(indexedField === undefined ? null : (object) => object.field(indexedField) ?? '')
    this.#bookmarks = new BookmarkClock(clock, (watchers) => void this.#sendBookmarks(watchers))
    this.#freshness = new Freshness(clock, () => this.#feed.requestProgress())
    const target = {
      restart: this.#restart.bind(this),
      load: this.#load.bind(this),
      apply: this.#apply.bind(this),
      ready: () => this.#freshness.setReady(true),
      broken: this.#break.bind(this),
    }
    this.#feed = new StoreFeed({ store, clock, log, prefix, target })
    this.#lists = new ListReader({
      records: this.#records,
      store,
      clock,
      revision: () => this.revision,
      changedRevision: () => this.#changedRevision,
      waitUntilFresh: (revision) => this.waitUntilFresh(revision),
      toObject: (key, revision, value) => this.storedObject(key, revision, value),
    })
    this.#watches = new WatchOpener({
      options,
      records: this.#records,
      history: this.#history,
      watchers: this.#watchers,
      bookmarks: this.#bookmarks,
      revision: () => this.revision,
      waitUntilFresh: (revision) => this.waitUntilFresh(revision),
      bookmark: (isInitialEnd) => this.#makeBookmark(isInitialEnd),
    })
  }

  /** The newest revision of the store whose changes are all here. */
  get revision(): number {
    return this.#freshness.revision
  }

  get size(): number {
    return this.#records.size
  }

  /** Reads from the store since the first that asked for it. */
  get isStarted(): boolean {
    return this.#started
  }

  /** Changes that the store told of. */
  get eventsReceived(): number {
    return this.#eventsReceived
  }

  get listCounts(): ListReader['counts'] {
    return this.#lists.counts
  }

  /** Of all objects, as served. */
  get bytes(): number {
    return this.#bytes
  }

  /** How many are told of a change of such an object. */
  watcherCount(namespace: string, name: string): number {
    return this.#watchers.count(name === '' ? '' : this.keyOf(namespace, name), namespace)
  }

  /** Begins to read; get, list and watch do it too, so that a resource that nobody uses costs nothing. */
  start(): void {
    if (this.#started) return
    this.#started = true
    this.#feed.start()
  }

  keyOf(namespace: string, name: string): string {
    return this.#options.namespaced ? `${this.#options.prefix}${namespace}/${name}` : this.#options.prefix + name
  }

  /** What is here now, maybe a moment behind the store: for a first try whose write compares revisions anyway. */
  peek(key: string): CachedObject | null {
    return this.#records.get(key) ?? null
  }

  /** By upstream's rules: '' or missing is consistent, '0' whatever is here, else at least as new as that. */
  async get(key: string, resourceVersion = ''): Promise<CachedObject | null> {
    await this.#awaitReady()
    const wanted =
      resourceVersion === '' ? await this.#options.store.currentRevision() : parseResourceVersion(resourceVersion)
    await this.waitUntilFresh(wanted)
    return this.peek(key)
  }

  async list(options: ListOptions): Promise<ListResult> {
    const { namespace = '', name = '', matches = null } = options
    const prefix = namespace === '' ? this.#options.prefix : `${this.#options.prefix}${namespace}/`
    const plan = planList(
      {
        limit: options.limit ?? 0,
        continue: options.continue ?? '',
        resourceVersion: options.resourceVersion ?? '',
        resourceVersionMatch: options.resourceVersionMatch ?? '',
      },
      prefix,
      this.#isSingle(namespace, name),
    )
    await this.#awaitReady()
    const byName: Matches | null = name === '' ? null : (object) => object.name === name && (matches?.(object) ?? true)
    if (!this.#isSingle(namespace, name)) return this.#lists.list({ plan, prefix, matches: byName ?? matches })
    // The range of one key.
    const key = this.keyOf(namespace, name)
    return this.#lists.list({ plan: { ...plan, startKey: key }, prefix: `${key}\0`, matches: byName })
  }

  /** Refusals that upstream reports inside the watch come as its first and only event, of type ERROR. */
  async watch(request: WatchRequest): Promise<WatchStream> {
    const revision = parseResourceVersion(request.resourceVersion ?? '')
    await this.#awaitReady()
    return this.#watches.open(request, revision)
  }

  /** Resolves once all changes up to `revision` are here; throws 504 when that takes over 3 s. */
  waitUntilFresh(revision: number): Promise<void> {
    return this.#freshness.wait(revision)
  }

  /**
   * The object that a write made, for its answer: the cache's own if it has arrived already (with the stores of this project it
   * has), else made of the written bytes.
   */
  storedObject(key: string, revision: number, value: Buffer): CachedObject {
    const known = this.#records.get(key)
    return known !== undefined && known.revision === revision ? known : this.#toObject(key, revision, value)
  }

  /**
   * Tells which object `value` (as it will be written) decodes to, so that watchers in this process need not decode it. The object
   * is shared from now on, and gets its resourceVersion on a copy.
   */
  rememberDecoded(value: Buffer, object: KubernetesObject): void {
    this.#decoded.set(value, object)
  }

  close(): void {
    this.#feed.stop()
    this.#break()
  }

  #isSingle(namespace: string, name: string): boolean {
    return name !== '' && (namespace !== '' || !this.#options.namespaced)
  }

  async #awaitReady(): Promise<void> {
    this.start()
    if (!(await this.#freshness.awaitReady())) throw notReady()
  }

  #restart(revision: number): void {
    this.#records.clear()
    this.#bytes = 0
    this.#changedRevision = revision
    this.#history.reset(revision)
    this.#freshness.reset(revision)
  }

  #load(entries: readonly Entry[]): void {
    for (const { key, modRevision, value } of entries) {
      const object = this.#toObject(key, modRevision, value)
      this.#bytes += object.bytes.length
      this.#records.set(object)
    }
  }

  #apply(events: readonly StoreEvent[], revision: number): void {
    this.#eventsReceived += events.length
    for (const event of events) {
      const change = this.#toChange(event)
      if (change === null) continue
      if (change.current === null) this.#records.delete(change.key)
      else this.#records.set(change.current)
      this.#bytes += (change.current?.bytes.length ?? 0) - (change.previous?.bytes.length ?? 0)
      this.#changedRevision = change.revision
      this.#history.push(change)
      this.#watchers.dispatch(change)
    }
    this.#freshness.advance(revision)
  }

  #toChange({ key, type, entry }: StoreEvent): CacheEvent | null {
    const previous = this.#records.get(key) ?? null
    const revision = entry.modRevision
    if (type === 'delete') return previous === null ? null : new CacheEvent({ key, revision, current: null, previous })
    const current = this.#toObject(previous?.key ?? key, revision, entry.value)
    if (previous !== null) current.inheritFrom(previous)
    return new CacheEvent({ key, revision, current, previous })
  }

  #toObject(key: string, revision: number, value: Buffer): CachedObject {
    const bytes = this.#options.fromStorage?.(value, key) ?? value
    const object = CachedObject.fromStored(this.#shape, key, revision, bytes)
    const decoded = this.#decoded.get(value)
    if (decoded !== undefined) {
      object.rememberObject({ ...decoded, metadata: { ...decoded.metadata, resourceVersion: String(revision) } })
    }
    return object
  }

  #break(): void {
    this.#freshness.setReady(false)
    for (const watcher of this.#watchers.all()) watcher.finish()
    this.#bookmarks.stop()
  }

  async #sendBookmarks(watchers: Iterable<{ offerBookmark(bookmark: ServedWatchEvent): void }>): Promise<void> {
    try {
      await this.waitUntilFresh(await this.#options.store.currentRevision())
    } catch (error) {
      this.#options.log.debug('No bookmark: the store does not answer', { error: String(error) })
      return
    }
    const bookmark = this.#makeBookmark(false)
    for (const watcher of watchers) watcher.offerBookmark(bookmark)
  }

  #makeBookmark(isInitialEnd: boolean): ServedWatchEvent {
    const { emptyObject } = this.#options
    const metadata = {
      ...(emptyObject['metadata'] as object | undefined),
      resourceVersion: String(this.revision),
      ...(isInitialEnd ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}),
    }
    return plainEvent('BOOKMARK', { ...emptyObject, metadata })
  }
}
