/** Counts what the API server does, under upstream's names, for /metrics. */
import { Counter, Gauge, Registry, collectDefaultMetrics } from 'prom-client'
import type { Clock } from '#base/clock.ts'
import type { AuditBackend } from '../audit/backend.ts'
import type { ApiRequest, Stage } from '../request.ts'
import { AccessMetrics } from './access-metrics.ts'
import { AdmissionMetrics } from './admission-metrics.ts'
import { BodySizes } from './body-sizes.ts'
import { DeprecatedApis } from './deprecated-apis.ts'
import { addReadFamily } from './families.ts'
import { RequestMetrics } from './request-metrics.ts'

type InFlight = { readonly readOnly: number; readonly mutating: number }

const IN_FLIGHT_HELP =
  'Maximal number of currently used inflight request limit of this apiserver per request kind in last second.'
const IN_QUEUE_HELP = 'Maximal number of queued requests in this apiserver per request kind in last second.'

export class ApiServerMetrics {
  readonly registry = new Registry()
  readonly access = new AccessMetrics(this.registry)
  readonly admission = new AdmissionMetrics(this.registry)
  readonly deprecatedApis = new DeprecatedApis(this.registry)
  readonly #requests = new RequestMetrics(this.registry)
  readonly #bodies = new BodySizes(this.registry)
  readonly #inFlight = new Gauge({
    name: 'apiserver_current_inflight_requests',
    help: IN_FLIGHT_HELP,
    labelNames: ['request_kind'],
    registers: [this.registry],
  })
  readonly #handshakeErrors = new Counter({
    name: 'apiserver_tls_handshake_errors_total',
    help: "Number of requests dropped with 'TLS handshake error from' error",
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

  readonly #auditRejections = new Counter({
    name: 'apiserver_audit_requests_rejected_total',
    help: 'Counter of apiserver requests rejected due to an error in audit logging backend.',
    registers: [this.registry],
  })

  constructor() {
    collectDefaultMetrics({ register: this.registry })
    for (const kind of ['readOnly', 'mutating']) this.#inFlight.set({ request_kind: kind }, 0)
  }

  observeAuditEvent(): void {
    this.#auditEvents.inc()
  }

  observeAuditRejection(): void {
    this.#auditRejections.inc()
  }

  readAuditLosses({ losses }: Pick<AuditBackend, 'losses'>): void {
    const help =
      'Counter of audit events that failed to be audited properly. Plugin identifies the plugin affected by the error.'
    addReadFamily(this.registry, { name: 'apiserver_audit_error_total', help, type: 'counter' }, () =>
      [...losses].map(([plugin, value]) => ({ labels: { plugin }, value })),
    )
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

  observeHandshakeError(): void {
    this.#handshakeErrors.inc()
  }

  /** Bytes as they were sent. */
  observeAnswer(request: ApiRequest, bytes: number): void {
    this.#requests.observeAnswer(request, bytes)
  }

  observeBody(request: ApiRequest, bytes: number): void {
    this.#bodies.observe(request, bytes)
  }

  /** The first stage of the chain: sees every request and its end. */
  createStage(clock: Clock): Stage {
    return this.#requests.createStage(clock)
  }
}
