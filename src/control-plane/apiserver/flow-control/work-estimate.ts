/** How many seats a request will take, by upstream's rules: lists by what they load, writes by who watches. Pure. */
import type { ApiRequest } from '../request.ts'

export type WorkEstimate = {
  readonly initialSeats: number
  /** For those who are told of the change, after the answer. */
  readonly finalSeats: number
  readonly additionalLatencyMs: number
}

/** What the estimate asks about the server. */
export type RequestLoad = {
  /** Null for a resource that nobody stores. */
  objectStats(info: ApiRequest['info']): { readonly count: number; readonly averageBytes: number } | null
  watcherCount(info: ApiRequest['info']): number
}

const MIN_SEATS = 1
const [LIST_SEATS_MAX, MUTATING_SEATS_MAX] = [100, 10]
const BYTES_PER_SEAT = 100_000
/** A list out of the cache is written in slices. */
const CACHE_BYTES_MAX = 1_000_000
/** Of an object whose size is not known: the store's limit. */
const OBJECT_BYTES_MAX = 1_500_000
const WATCHES_PER_SEAT = 10
const EVENT_LATENCY_MS = 5

const MINIMUM: WorkEstimate = { initialSeats: MIN_SEATS, finalSeats: 0, additionalLatencyMs: 0 }

type Estimated = Pick<ApiRequest, 'info' | 'query'>

/** `levelSeatsMax`: what one request of the priority level may take at most; 0 when it does not say. */
export function estimateWork(request: Estimated, load: RequestLoad, levelSeatsMax: number): WorkEstimate {
  switch (request.info.verb) {
    case 'list':
    case 'watch':
      return estimateList(request, load, levelSeatsMax)
    case 'create':
    case 'update':
    case 'patch':
    case 'delete':
      return estimateChange(request.info, load, levelSeatsMax)
    default:
      return MINIMUM
  }
}

const bounded = (levelMax: number, max: number): number => (levelMax === 0 ? max : Math.min(levelMax, max))

function estimateList({ info, query }: Estimated, load: RequestLoad, levelMax: number): WorkEstimate {
  const isWatch = info.verb === 'watch'
  if (isWatch && !startsWithObjects(query)) return MINIMUM
  const stats = load.objectStats(info)
  if (stats === null) return MINIMUM
  const averageBytes = stats.averageBytes > 0 || stats.count === 0 ? stats.averageBytes : OBJECT_BYTES_MAX
  const isFromCache = isWatch || !readsStore(query)
  const bytes = averageBytes * objectsLoaded(info, query, stats.count, isFromCache)
  const seats = Math.ceil((isFromCache ? Math.min(bytes, CACHE_BYTES_MAX) : bytes) / BYTES_PER_SEAT)
  return { ...MINIMUM, initialSeats: Math.min(Math.max(seats, MIN_SEATS), bounded(levelMax, LIST_SEATS_MAX)) }
}

function startsWithObjects(query: URLSearchParams): boolean {
  const version = query.get('resourceVersion') ?? ''
  return query.get('sendInitialEvents') === 'true' || version === '' || version === '0'
}

function readsStore(query: URLSearchParams): boolean {
  const match = query.get('resourceVersionMatch') ?? ''
  if (match !== '') return match !== 'NotOlderThan'
  if (query.get('continue')) return true
  const version = query.get('resourceVersion') ?? ''
  return limitOf(query) > 0 && version !== '' && version !== '0'
}

const limitOf = (query: URLSearchParams): number => Number(query.get('limit') ?? 0) || 0

function objectsLoaded(info: ApiRequest['info'], query: URLSearchParams, count: number, isFromCache: boolean): number {
  if (info.name !== '') return 1
  const limit = limitOf(query)
  const limited = limit > 0 ? Math.min(limit, count) : count
  const isSelective = Boolean(query.get('fieldSelector') || query.get('labelSelector'))
  return !isFromCache && isSelective ? Math.max(limited, Math.floor(count / 2)) : limited
}

function estimateChange(info: ApiRequest['info'], load: RequestLoad, levelMax: number): WorkEstimate {
  // A token is stored nowhere: nobody watches.
  if (info.resource === 'serviceaccounts' && info.subresource === 'token') return MINIMUM
  const watchers = load.watcherCount(info)
  if (watchers < WATCHES_PER_SEAT) return MINIMUM
  const seats = Math.ceil(watchers / WATCHES_PER_SEAT)
  const finalSeats = Math.min(seats, bounded(levelMax, MUTATING_SEATS_MAX))
  return { ...MINIMUM, finalSeats, additionalLatencyMs: (seats * EVENT_LATENCY_MS) / finalSeats }
}
