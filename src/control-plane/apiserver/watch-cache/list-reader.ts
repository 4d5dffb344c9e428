/** Answers lists: from memory where the cache holds the state that is asked for, else from the store's history. */
import type { Clock } from '#base/clock.ts'
import type { SortedRecords } from '#base/sorted-records.ts'
import { CompactedError, FutureRevisionError, prefixEnd, type RangeResult, type Store } from '../../store/store.ts'
import type { Matches } from './cache-event.ts'
import type { CachedObject } from './cached-object.ts'
import { encodeContinue } from './continue-token.ts'
import { ContinueExpiredError, listExpired, tooLargeResourceVersion } from './errors.ts'
import type { ListPlan } from './list-plan.ts'

/** The longest that a selector is applied before other work gets a turn: one of thousands of terms is slow. */
const FILTER_SLICE_MS = 3
/** Objects read from the store's history at once; grows up to the maximum while a selector finds too few. */
const STORE_PAGE_MIN = 500
const STORE_PAGE_MAX = 10_000

export type ListResult = {
  readonly items: readonly CachedObject[]
  readonly resourceVersion: string
  /** '' on the last page. */
  readonly continue: string
  /** Only on a page of a list without a selector. */
  readonly remainingItemCount?: number
}

export type ListSource = {
  readonly records: SortedRecords<CachedObject>
  readonly store: Store
  readonly clock: Clock
  /** Revision that `records` show. */
  revision(): number
  /** The newest revision that changed `records`. */
  changedRevision(): number
  waitUntilFresh(revision: number): Promise<void>
  /** An old version from the store; the cache's own object when it is that version. */
  toObject(key: string, revision: number, value: Buffer): CachedObject
}

type Page = {
  readonly items: CachedObject[]
  readonly revision: number
  readonly hasMore: boolean
  /** Objects from the page's start to the end of the range, selected or not. */
  readonly count: number
}

export type ListRequest = { readonly plan: ListPlan; readonly prefix: string; readonly matches: Matches | null }

/** How many lists there were, and of how many objects: for metrics. */
export type ListCounts = { lists: number; fetched: number; evaluated: number; returned: number }

export class ListReader {
  /** By the place that they were read from. */
  readonly counts: { readonly cache: ListCounts; readonly store: ListCounts } = {
    cache: { lists: 0, fetched: 0, evaluated: 0, returned: 0 },
    store: { lists: 0, fetched: 0, evaluated: 0, returned: 0 },
  }
  readonly #source: ListSource

  constructor(source: ListSource) {
    this.#source = source
  }

  async list(request: ListRequest): Promise<ListResult> {
    await this.#awaitRevision(request.plan)
    const { plan } = request
    const inMemory = plan.read !== 'exact' || plan.revision >= this.#source.changedRevision()
    const page = inMemory ? await this.#readCache(request) : await this.#readStore(request)
    const counts = inMemory ? this.counts.cache : this.counts.store
    counts.lists++
    counts.returned += page.items.length
    return toResult(request, page)
  }

  async #awaitRevision({ read, revision }: ListPlan): Promise<void> {
    if (read === 'any') return
    const wanted = read === 'consistent' ? await this.#source.store.currentRevision() : revision
    await this.#source.waitUntilFresh(wanted)
  }

  async #readCache({ plan, prefix, matches }: ListRequest): Promise<Page> {
    const { records } = this.#source
    const end = prefixEnd(prefix)
    const revision = plan.read === 'exact' ? plan.revision : this.#source.revision()
    const found: CachedObject[] = []
    const max = matches === null && plan.limit > 0 ? plan.limit : Infinity
    records.walk(plan.startKey, end, (object) => found.push(object) < max)
    this.counts.cache.fetched += found.length
    const count = max === Infinity ? found.length : records.count(plan.startKey, end)
    if (matches === null) return { items: found, revision, hasMore: count > found.length, count }
    return { ...(await this.#filter(found, matches, plan.limit)), revision, count }
  }

  async #filter(
    found: CachedObject[],
    matches: Matches,
    limit: number,
  ): Promise<{ items: CachedObject[]; hasMore: boolean }> {
    const items: CachedObject[] = []
    const { clock } = this.#source
    let sliceEnd = clock.monotonic() + FILTER_SLICE_MS
    for (const [index, object] of found.entries()) {
      if (clock.monotonic() >= sliceEnd) {
        await clock.yield()
        sliceEnd = clock.monotonic() + FILTER_SLICE_MS
      }
      if (!matches(object)) continue
      items.push(object)
      if (items.length === limit) return { items, hasMore: index < found.length - 1 }
    }
    return { items, hasMore: false }
  }

  async #readStore({ plan, prefix, matches }: ListRequest): Promise<Page> {
    const items: CachedObject[] = []
    const end = prefixEnd(prefix)
    let pageSize = plan.limit > 0 ? plan.limit : STORE_PAGE_MIN
    for (let start = plan.startKey; ; pageSize = Math.min(pageSize * 2, STORE_PAGE_MAX)) {
      const range = await this.#readRange({ plan, prefix, start, end, limit: pageSize })
      this.counts.store.fetched += range.entries.length
      for (const [index, entry] of range.entries.entries()) {
        this.counts.store.evaluated++
        const object = this.#source.toObject(entry.key, entry.modRevision, entry.value)
        if (matches !== null && !matches(object)) continue
        items.push(object)
        if (items.length === plan.limit) {
          return { items, revision: plan.revision, hasMore: index + 1 < range.count, count: range.count }
        }
      }
      if (range.count <= range.entries.length) return { items, revision: plan.revision, hasMore: false, count: 0 }
      start = `${range.entries.at(-1)!.key}\0`
    }
  }

  async #readRange(options: {
    plan: ListPlan
    prefix: string
    start: string
    end: string
    limit: number
  }): Promise<RangeResult> {
    const { plan, start, end, limit } = options
    try {
      return await this.#source.store.range({ start, end, limit, revision: plan.revision })
    } catch (error) {
      if (error instanceof FutureRevisionError) throw tooLargeResourceVersion(plan.revision, error.currentRevision)
      if (!(error instanceof CompactedError)) throw error
      throw plan.isContinued ? new ContinueExpiredError(start, options.prefix) : listExpired()
    }
  }
}

function toResult({ plan, prefix, matches }: ListRequest, page: Page): ListResult {
  const { items, revision, hasMore, count } = page
  const result = { items, resourceVersion: String(revision), continue: '' }
  if (!hasMore) return result
  const token = encodeContinue({ startKey: `${items.at(-1)!.key}\0`, revision }, prefix)
  return { ...result, continue: token, ...(matches === null ? { remainingItemCount: count - plan.limit } : {}) }
}
