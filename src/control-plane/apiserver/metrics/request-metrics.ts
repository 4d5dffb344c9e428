/** Counts requests and watches as they come and go: the first stage of the chain. */
import type { Registry } from 'prom-client'
import type { Clock } from '#base/clock.ts'
import { StatusError } from '#machinery/status-error.ts'
import { PlainRefusal } from '../plain-refusal.ts'
import { isLongRunning } from '../request-info.ts'
import type { ApiRequest, ApiResponse, ServedWatchEvent, Stage } from '../request.ts'
import { CountFamily, DistributionFamily, exponentialBuckets, type Count, type Distribution } from './families.ts'
import { labelsOf, type RequestLabels } from './request-labels.ts'

/** Upstream's buckets. */
const SLI_BUCKETS = [0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60]
const DURATION_BUCKETS = [0.005, 0.025, ...SLI_BUCKETS]
const EVENT_BUCKETS = exponentialBuckets(1024, 2, 8)
/** From a kilobyte to a gigabyte. */
const SIZE_BUCKETS = exponentialBuckets(1000, 10, 7)
/** Sets of labels that are told apart; requests beyond them (of paths that clients make up) share one. */
const SHAPES_MAX = 5000
const OTHER: RequestLabels = { verb: 'other', group: '', version: '', resource: '', subresource: '', scope: '' }
/** What a server does to save itself: too many requests, or too long ones. */
const SELF_DEFENSE = new Set([429, 504])
/** The server's own requests, as its user is called. */
const OWN_USER = 'system:apiserver'

const codeOf = (error: unknown): number =>
  error instanceof StatusError || error instanceof PlainRefusal ? error.code : 500

/** All series of requests with the same labels. */
type Shape = {
  readonly labels: RequestLabels
  readonly totals: Map<string, Count>
  readonly durations: Map<string, Distribution>
  readonly sli: Distribution
  readonly running: Count
  readonly own: Count
  answerSizes: Distribution | null
  watch: { readonly events: Count; readonly sizes: Distribution } | null
}

export class RequestMetrics {
  readonly #shapes = new Map<string, Shape>()
  readonly #totals: CountFamily
  readonly #durations: DistributionFamily
  readonly #sli: DistributionFamily
  readonly #running: CountFamily
  readonly #own: CountFamily
  readonly #terminations: CountFamily
  readonly #events: CountFamily
  readonly #sizes: DistributionFamily
  readonly #answerSizes: DistributionFamily
  readonly #terminated = new Map<string, Count>()

  constructor(registry: Registry) {
    const count = (name: string, help: string, type?: 'gauge'): CountFamily =>
      new CountFamily(registry, `apiserver_${name}`, help, type)
    const distribution = (name: string, help: string, buckets: readonly number[]): DistributionFamily =>
      new DistributionFamily(registry, `apiserver_${name}`, help, buckets)
    this.#totals = count(
      'request_total',
      'Counter of apiserver requests broken out for each verb, dry run value, group, version, resource, scope, component, and HTTP response code.',
    )
    this.#durations = distribution(
      'request_duration_seconds',
      'Response latency distribution in seconds for each verb, dry run value, group, version, resource, subresource, scope and component.',
      DURATION_BUCKETS,
    )
    this.#sli = distribution(
      'request_sli_duration_seconds',
      'Response latency distribution (not counting webhook duration and priority & fairness queue wait times) in seconds for each verb, group, version, resource, subresource, scope and component.',
      SLI_BUCKETS,
    )
    this.#running = count(
      'longrunning_requests',
      'Gauge of all active long-running apiserver requests broken out by verb, group, version, resource, scope and component.',
      'gauge',
    )
    this.#own = count(
      'selfrequest_total',
      'Counter of apiserver self-requests broken out for each verb, API resource and subresource.',
    )
    this.#terminations = count(
      'request_terminations_total',
      'Number of requests which apiserver terminated in self-defense.',
    )
    this.#events = count('watch_events_total', 'Number of events sent in watch clients')
    this.#answerSizes = distribution(
      'response_sizes',
      'Response size distribution in bytes for each group, version, verb, resource, subresource, scope and component.',
      SIZE_BUCKETS,
    )
    this.#sizes = distribution('watch_events_sizes', 'Watch event size distribution in bytes', EVENT_BUCKETS)
  }

  createStage(clock: Clock): Stage {
    return async (request, next) => {
      const startMs = clock.monotonic()
      const isLong = isLongRunning(request)
      const shape = this.#shapeOf(request)
      if (request.user.name === OWN_USER && request.connection === undefined) shape.own.add()
      if (isLong) shape.running.add()
      try {
        const response = await next(request)
        this.#count(request, shape, response.code, clock.monotonic() - startMs)
        if (isLong && response.body.form === 'watch') return this.#followWatch(response, shape)
        if (isLong) shape.running.add(-1)
        return response
      } catch (error) {
        if (isLong) shape.running.add(-1)
        this.#count(request, shape, codeOf(error), clock.monotonic() - startMs)
        throw error
      }
    }
  }

  /** Of what is read, as upstream. */
  observeAnswer(request: ApiRequest, bytes: number): void {
    const { isResourceRequest, verb } = request.info
    if (!isResourceRequest || (verb !== 'get' && verb !== 'list')) return
    const shape = this.#shapeOf(request)
    shape.answerSizes ??= this.#answerSizes.series({ ...shape.labels, component: COMPONENT })
    shape.answerSizes.observe(bytes)
  }

  #shapeOf(request: ApiRequest): Shape {
    const labels = labelsOf(request)
    const { verb, group, version, resource, subresource, scope } = labels
    const key = `${verb} ${group} ${version} ${resource} ${subresource} ${scope}`
    return this.#shapes.get(key) ?? this.#addShape(key, labels)
  }

  #addShape(key: string, labels: RequestLabels): Shape {
    if (this.#shapes.size >= SHAPES_MAX && labels !== OTHER) return this.#shapes.get('') ?? this.#addShape('', OTHER)
    const { verb, group, resource, subresource } = labels
    const shape = {
      labels,
      totals: new Map(),
      durations: new Map(),
      sli: this.#sli.series({ ...labels, component: COMPONENT }),
      running: this.#running.series({ ...labels, component: COMPONENT }),
      own: this.#own.series({ verb, group, resource, subresource }),
      answerSizes: null,
      watch: null,
    }
    this.#shapes.set(key, shape)
    return shape
  }

  #count(request: ApiRequest, shape: Shape, code: number, durationMs: number): void {
    const dryRun = request.query.size === 0 ? '' : (request.query.get('dryRun') ?? '')
    const total = dryRun === '' ? String(code) : `${code} ${dryRun}`
    const { labels } = shape
    const counted = { ...labels, component: COMPONENT }
    getOrAdd(shape.totals, total, () => this.#totals.series({ ...counted, dry_run: dryRun, code: String(code) })).add()
    if (SELF_DEFENSE.has(code))
      getOrAdd(this.#terminated, `${Object.values(labels).join(' ')} ${code}`, () =>
        this.#terminations.series({ ...counted, code: String(code) }),
      ).add()
    if (isLongRunning(request)) return
    const seconds = durationMs / 1000
    getOrAdd(shape.durations, dryRun, () => this.#durations.series({ ...counted, dry_run: dryRun })).observe(seconds)
    shape.sli.observe(seconds)
  }

  /** A watch counts as running until its stream is closed. */
  #followWatch(response: ApiResponse, shape: Shape): ApiResponse {
    if (response.body.form !== 'watch') return response
    const { stream } = response.body
    const { group, version, resource } = shape.labels
    const labels = { group, version, resource }
    const watch = (shape.watch ??= { events: this.#events.series(labels), sizes: this.#sizes.series(labels) })
    let isClosed = false
    const close = (): void => {
      if (!isClosed) shape.running.add(-1)
      isClosed = true
      stream.close()
    }
    const next = async (): Promise<readonly ServedWatchEvent[] | null> => {
      const events = await stream.next()
      if (events !== null) for (const { bytes } of events) watch.sizes.observe(bytes.length)
      watch.events.add(events?.length ?? 0)
      return events
    }
    return { ...response, body: { ...response.body, stream: { next, close } } }
  }
}

const COMPONENT = 'apiserver'

function getOrAdd<T>(map: Map<string, T>, key: string, create: () => T): T {
  let value = map.get(key)
  if (value === undefined) map.set(key, (value = create()))
  return value
}
