/** Counts what the API server does, under upstream's names, for /metrics. */
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client'
import type { Clock } from '#base/clock.ts'
import { StatusError } from '#machinery/status-error.ts'
import { isLongRunning } from '../request-info.ts'
import type { ApiRequest, ApiResponse, Stage } from '../request.ts'

const REQUEST_LABELS = ['verb', 'group', 'version', 'resource', 'subresource', 'scope', 'component'] as const
/** Upstream's buckets of apiserver_request_duration_seconds. */
const DURATION_BUCKETS = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60,
]

type InFlight = { readonly readOnly: number; readonly mutating: number }

const IN_FLIGHT_HELP =
  'Maximal number of currently used inflight request limit of this apiserver per request kind in last second.'
const IN_QUEUE_HELP = 'Maximal number of queued requests in this apiserver per request kind in last second.'

export class ApiServerMetrics {
  readonly registry = new Registry()
  readonly #requests = new Counter({
    name: 'apiserver_request_total',
    help: 'Counter of apiserver requests broken out for each verb, dry run value, group, version, resource, scope, component, and HTTP response code.',
    labelNames: [...REQUEST_LABELS, 'dry_run', 'code'],
    registers: [this.registry],
  })
  readonly #durations = new Histogram({
    name: 'apiserver_request_duration_seconds',
    help: 'Response latency distribution in seconds for each verb, dry run value, group, version, resource, subresource, scope and component.',
    labelNames: [...REQUEST_LABELS, 'dry_run'],
    buckets: DURATION_BUCKETS,
    registers: [this.registry],
  })
  readonly #inFlight = new Gauge({
    name: 'apiserver_current_inflight_requests',
    help: IN_FLIGHT_HELP,
    labelNames: ['request_kind'],
    registers: [this.registry],
  })
  readonly #longRunning = new Gauge({
    name: 'apiserver_longrunning_requests',
    help: 'Gauge of all active long-running apiserver requests broken out by verb, group, version, resource, scope and component.',
    labelNames: [...REQUEST_LABELS],
    registers: [this.registry],
  })

  readonly #auditLevels = new Counter({
    name: 'apiserver_audit_level_total',
    help: 'Counter of policy levels for audit events (1 per request).',
    labelNames: ['level'],
    registers: [this.registry],
  })

  readonly #auditEvents = new Counter({
    name: 'apiserver_audit_event_total',
    help: 'Counter of audit events generated and sent to the audit backend.',
    registers: [this.registry],
  })

  constructor() {
    collectDefaultMetrics({ register: this.registry })
    for (const kind of ['readOnly', 'mutating']) this.#inFlight.set({ request_kind: kind }, 0)
  }

  observeAuditEvent(): void {
    this.#auditEvents.inc()
  }

  observeAuditLevel(level: string): void {
    this.#auditLevels.inc({ level })
  }

  observeInFlight(kind: 'readOnly' | 'mutating', running: number): void {
    this.#inFlight.set({ request_kind: kind }, running)
  }

  /** The counts are kept by somebody else, and read when they are asked for. */
  readInFlight({ executing, waiting }: { readonly executing: InFlight; readonly waiting: InFlight }): void {
    for (const [name, help, counts] of [
      ['apiserver_current_inflight_requests', IN_FLIGHT_HELP, executing],
      ['apiserver_current_inqueue_requests', IN_QUEUE_HELP, waiting],
    ] as const) {
      this.registry.removeSingleMetric(name)
      const gauge = new Gauge({
        name,
        help,
        labelNames: ['request_kind'],
        registers: [],
        collect() {
          this.set({ request_kind: 'readOnly' }, counts.readOnly)
          this.set({ request_kind: 'mutating' }, counts.mutating)
        },
      })
      this.registry.registerMetric(gauge)
    }
  }

  /** The first stage of the chain: sees every request and its end. */
  createStage(clock: Clock): Stage {
    return async (request, next) => {
      const startMs = clock.monotonic()
      const isLong = isLongRunning(request.info)
      const labels = labelsOf(request)
      if (isLong) this.#longRunning.inc(labels)
      try {
        const response = await next(request)
        this.#count(request, labels, response.code, clock.monotonic() - startMs)
        if (isLong && response.body.form === 'watch') return this.#followWatch(response, labels)
        if (isLong) this.#longRunning.dec(labels)
        return response
      } catch (error) {
        if (isLong) this.#longRunning.dec(labels)
        this.#count(request, labels, error instanceof StatusError ? error.code : 500, clock.monotonic() - startMs)
        throw error
      }
    }
  }

  #count(request: ApiRequest, labels: Labels, code: number, durationMs: number): void {
    const dryRun = request.query.get('dryRun') ?? ''
    this.#requests.inc({ ...labels, dry_run: dryRun, code: String(code) })
    if (!isLongRunning(request.info)) this.#durations.observe({ ...labels, dry_run: dryRun }, durationMs / 1000)
  }

  /** A watch counts as running until its stream is closed. */
  #followWatch(response: ApiResponse, labels: Labels): ApiResponse {
    if (response.body.form !== 'watch') return response
    const { stream } = response.body
    let isClosed = false
    const close = (): void => {
      if (!isClosed) this.#longRunning.dec(labels)
      isClosed = true
      stream.close()
    }
    return { ...response, body: { form: 'watch', stream: { next: () => stream.next(), close } } }
  }
}

type Labels = Readonly<Record<(typeof REQUEST_LABELS)[number], string>>

function labelsOf({ info, method }: ApiRequest): Labels {
  return {
    verb: verbLabel(info.isResourceRequest ? info.verb : method),
    group: info.group,
    version: info.version,
    resource: info.resource,
    subresource: info.subresource,
    scope: scopeOf(info),
    component: 'apiserver',
  }
}

const VERB_LABELS: Readonly<Record<string, string>> = {
  create: 'POST',
  update: 'PUT',
  deletecollection: 'DELETECOLLECTION',
}
const KNOWN_VERBS = new Set([
  'GET',
  'LIST',
  'WATCH',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'DELETECOLLECTION',
  'HEAD',
  'OPTIONS',
  'CONNECT',
])

/** Anything a client makes up is one label, so that it cannot grow the number of series. */
function verbLabel(verb: string): string {
  const label = VERB_LABELS[verb] ?? verb.toUpperCase()
  return KNOWN_VERBS.has(label) ? label : 'other'
}

function scopeOf(info: ApiRequest['info']): string {
  if (!info.isResourceRequest) return ''
  if (info.name !== '' || info.verb === 'create') return 'resource'
  return info.namespace === '' ? 'cluster' : 'namespace'
}
