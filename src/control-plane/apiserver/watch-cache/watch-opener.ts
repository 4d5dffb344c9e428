/** Opens watches on a cache: decides what a new watcher sees first, and whom it is grouped with. */
import type { Clock } from '#base/clock.ts'
import { prefixEnd, type Store } from '../../store/store.ts'
import type { SortedRecords } from '#base/sorted-records.ts'
import { StatusError } from '#machinery/status-error.ts'
import type { ServedWatchEvent, WatchStream } from '../request.ts'
import type { BookmarkClock } from './bookmark-clock.ts'
import { plainEvent, type CacheEvent, type Matches } from './cache-event.ts'
import type { CachedObject } from './cached-object.ts'
import { CacheWatcher } from './cache-watcher.ts'
import type { EventHistory } from './event-history.ts'
import type { WatcherIndex, WatcherScope } from './watcher-index.ts'

/** Events that a client may leave unread. They are shared with other watchers, so this bounds what a slow one keeps alive. */
const WATCHER_LIMITS = { eventsMax: 10_000, bytesMax: 64 << 20 }
/** The last bookmark comes this long before the end, so that the client resumes from close to now. */
const LAST_BOOKMARK_MS = 2000

export type WatchRequest = {
  readonly namespace?: string
  readonly name?: string
  /** Selectors, as in a list. */
  readonly matches?: Matches | null
  /** The value that a field selector demands of the cache's indexed field, if it does. */
  readonly indexedValue?: string
  readonly resourceVersion?: string
  /** Missing is not false: then the start depends on resourceVersion as it always did. */
  readonly sendInitialEvents?: boolean
  readonly allowBookmarks?: boolean
  /** The watch ends in an orderly way after this time. */
  readonly timeoutMs?: number
  readonly signal: AbortSignal
}

export type WatchOpenerOptions = {
  readonly options: {
    readonly prefix: string
    readonly namespaced: boolean
    readonly store: Store
    readonly clock: Clock
    readonly indexedField?: string
  }
  readonly records: SortedRecords<CachedObject>
  readonly history: EventHistory
  readonly watchers: WatcherIndex
  readonly bookmarks: BookmarkClock
  revision(): number
  waitUntilFresh(revision: number): Promise<void>
  bookmark(isInitialEnd: boolean): ServedWatchEvent
}

type Start = { readonly initial: readonly CachedObject[]; readonly backlog: readonly CacheEvent[] }

export class WatchOpener {
  readonly #cache: WatchOpenerOptions

  constructor(cache: WatchOpenerOptions) {
    this.#cache = cache
  }

  /** `revision` is the request's resourceVersion as a number. */
  async open(request: WatchRequest, revision: number): Promise<WatchStream> {
    try {
      await this.#awaitStart(request, revision)
      return this.#openAt(request, this.#startOf(request, revision))
    } catch (error) {
      if (!(error instanceof StatusError)) throw error
      return errorStream(error)
    }
  }

  /** Only a watch that begins with the state has to wait for it; any other sees what comes. */
  async #awaitStart(request: WatchRequest, revision: number): Promise<void> {
    if ((request.resourceVersion ?? '') === '') {
      await this.#cache.waitUntilFresh(await this.#cache.options.store.currentRevision())
    } else if (request.sendInitialEvents === true) await this.#cache.waitUntilFresh(revision)
  }

  #startOf(request: WatchRequest, revision: number): Start {
    const fromState = request.sendInitialEvents ?? revision === 0
    if (fromState) return { initial: this.#stateFor(request), backlog: [] }
    if (revision === 0) return { initial: [], backlog: [] }
    return { initial: [], backlog: this.#cache.history.after(revision) }
  }

  #stateFor({ namespace = '', name = '' }: WatchRequest): CachedObject[] {
    const { records, options } = this.#cache
    const scope = this.#scopeOf({ namespace, name })
    if (scope.by === 'key') {
      const object = records.get(scope.value)
      return object === undefined ? [] : [object]
    }
    const prefix = namespace === '' ? options.prefix : `${options.prefix}${namespace}/`
    const state: CachedObject[] = []
    records.walk(prefix, prefixEnd(prefix), (object) => void state.push(object))
    return state
  }

  #openAt(request: WatchRequest, { initial, backlog }: Start): WatchStream {
    const { options, watchers, bookmarks } = this.#cache
    const allowBookmarks = request.allowBookmarks ?? false
    const watcher = new CacheWatcher({
      matches: filterOf(request),
      allowBookmarks,
      initial,
      backlog,
      initialEnd: request.sendInitialEvents === true && allowBookmarks ? this.#cache.bookmark(true) : null,
      limits: WATCHER_LIMITS,
      clock: options.clock,
      onClosed: (closed) => {
        watchers.delete(closed)
        bookmarks.delete(closed)
        request.signal.removeEventListener('abort', abort)
      },
    })
    const abort = (): void => watcher.close()
    watchers.add(watcher, this.#scopeOf(request))
    if (allowBookmarks) bookmarks.add(watcher)
    if (request.signal.aborted) watcher.close()
    else request.signal.addEventListener('abort', abort, { once: true })
    this.#scheduleEnd(watcher, request)
    return watcher
  }

  #scheduleEnd(watcher: CacheWatcher, { timeoutMs, allowBookmarks }: WatchRequest): void {
    if (timeoutMs === undefined) return
    watcher.schedule(timeoutMs, () => watcher.finish())
    if (allowBookmarks === true && timeoutMs > LAST_BOOKMARK_MS) {
      watcher.schedule(timeoutMs - LAST_BOOKMARK_MS, () => watcher.offerBookmark(this.#cache.bookmark(false)))
    }
  }

  #scopeOf({
    namespace = '',
    name = '',
    indexedValue,
  }: Pick<WatchRequest, 'namespace' | 'name' | 'indexedValue'>): WatcherScope {
    const { prefix, namespaced, indexedField } = this.#cache.options
    if (name !== '' && !namespaced) return { by: 'key', value: prefix + name }
    if (name !== '' && namespace !== '') return { by: 'key', value: `${prefix}${namespace}/${name}` }
    if (indexedValue !== undefined && indexedField !== undefined) return { by: 'field', value: indexedValue }
    return namespace === '' ? { by: 'all' } : { by: 'namespace', value: namespace }
  }
}

/** The group of a watcher only narrows: the filter says what it sees. */
function filterOf({ namespace = '', name = '', matches }: WatchRequest): Matches {
  return (object) =>
    (namespace === '' || object.namespace === namespace) &&
    (name === '' || object.name === name) &&
    (matches == null || matches(object))
}

/** A watch that says why it cannot be, and ends. */
function errorStream(error: StatusError): WatchStream {
  const events = [[plainEvent('ERROR', error.toStatus())]]
  return { next: async () => events.shift() ?? null, close: () => void events.splice(0) }
}
