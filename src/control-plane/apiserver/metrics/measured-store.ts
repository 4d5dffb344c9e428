/** The store, with its requests counted and timed as upstream does those to etcd. */
import type { Registry } from 'prom-client'
import type { KindDefinition } from '#api/kind.ts'
import type { Clock } from '#base/clock.ts'
import type {
  RangeOptions,
  RangeResult,
  Store,
  WatchOptions,
  WriteOptions,
  WriteResult,
} from '#control-plane/store/store.ts'
import { CountFamily, DistributionFamily, type Count, type Distribution } from './families.ts'

const BUCKETS = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60]
const PREFIX = '/registry/'

type Operation = 'get' | 'list' | 'create' | 'update' | 'delete'
type Series = { readonly count: Count; readonly duration: Distribution }

export class MeasuredStore implements Store {
  readonly #store: Store
  readonly #clock: Clock
  readonly #counts: CountFamily
  readonly #durations: DistributionFamily
  /** Prefix of the keys -> the kind that lies there. */
  readonly #kinds: ReadonlyMap<string, Pick<KindDefinition, 'group' | 'resource'>>
  readonly #series = new Map<string, Series>()

  constructor(store: Store, parts: { clock: Clock; kinds: readonly KindDefinition[]; registry: Registry }) {
    this.#store = store
    this.#clock = parts.clock
    this.#kinds = new Map(parts.kinds.map((kind) => [kind.storagePrefix, kind]))
    this.#counts = new CountFamily(
      parts.registry,
      'etcd_requests_total',
      'Etcd request counts for each operation and object type.',
    )
    this.#durations = new DistributionFamily(
      parts.registry,
      'etcd_request_duration_seconds',
      'Etcd request latency in seconds for each operation and object type.',
      BUCKETS,
    )
  }

  get(key: string, revision?: number): ReturnType<Store['get']> {
    return this.#measure('get', key, this.#store.get(key, revision))
  }

  range(options: RangeOptions): Promise<RangeResult> {
    return this.#measure('list', options.start, this.#store.range(options))
  }

  write(key: string, options: WriteOptions): Promise<WriteResult> {
    const operation = options.value === null ? 'delete' : options.expectedRevision === 0 ? 'create' : 'update'
    return this.#measure(operation, key, this.#store.write(key, options))
  }

  async #measure<T>(operation: Operation, key: string, answer: Promise<T>): Promise<T> {
    const startMs = this.#clock.monotonic()
    const { count, duration } = this.#seriesOf(operation, key)
    count.add()
    try {
      return await answer
    } finally {
      duration.observe((this.#clock.monotonic() - startMs) / 1000)
    }
  }

  #seriesOf(operation: Operation, key: string): Series {
    const place = placeOf(key)
    const name = `${operation} ${place}`
    let series = this.#series.get(name)
    if (series === undefined) {
      const { group = '', resource = place } = this.#kinds.get(place) ?? {}
      const labels = { operation, group, resource }
      series = { count: this.#counts.series(labels), duration: this.#durations.series(labels) }
      this.#series.set(name, series)
    }
    return series
  }

  watch(options: WatchOptions) {
    return this.#store.watch(options)
  }
  compact(revision: number) {
    return this.#store.compact(revision)
  }
  currentRevision() {
    return this.#store.currentRevision()
  }
  compactedRevision() {
    return this.#store.compactedRevision()
  }
  grantLease(ttlSeconds: number) {
    return this.#store.grantLease(ttlSeconds)
  }
  keepAliveLease(lease: number) {
    return this.#store.keepAliveLease(lease)
  }
  revokeLease(lease: number) {
    return this.#store.revokeLease(lease)
  }
  sizeBytes() {
    return this.#store.sizeBytes()
  }
  close() {
    return this.#store.close()
  }
}

/** The part of a key between the prefix of all and the names of the object: one word, or two. */
function placeOf(key: string): string {
  const rest = key.startsWith(PREFIX) ? key.slice(PREFIX.length) : key
  const first = rest.indexOf('/')
  const head = first === -1 ? rest : rest.slice(0, first)
  // Services and their endpoints lie in one folder.
  if (head !== 'services') return head
  const second = rest.indexOf('/', first + 1)
  return second === -1 ? rest : rest.slice(0, second)
}
