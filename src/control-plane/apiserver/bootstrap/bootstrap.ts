/** Brings a new or restarted server's default objects into place, and keeps the `kubernetes` Service right. */
import { isIPv6 } from 'node:net'
import type { KindDefinition } from '#api/kind.ts'
import type { Clock } from '#base/clock.ts'
import { randomUuid, type RandomSource } from '#base/random.ts'
import type { Logger } from '#base/log.ts'
import type { Client } from '#client/client.ts'
import type { RequestHeaderSettings } from '../settings.ts'
import { ApiEventRecorder } from '#client/api-event-recorder.ts'
import type { NodePortRange } from '../resource-backend.ts'
import { repairServices } from './service-repair.ts'
import type { HealthChecks } from '../health/health-checks.ts'
import {
  createPriorityClasses,
  createSystemNamespaces,
  publishAuthentication,
  publishTokenTracking,
  reconcileDefaultFlows,
  reconcileDefaultRoles,
} from './bootstrap-objects.ts'
import { COLLECT_MS, RENEW_MS, collectIdentityLeases, renewIdentityLease } from './identity-lease.ts'
import { DefaultServiceCidr, SERVICE_CIDR_WRITER } from './default-service-cidr.ts'
import { reconcileKubernetesService } from './kubernetes-service.ts'
import { firstServiceAddress } from './service-range.ts'

export type BootstrapParts = {
  readonly client: Client
  /** The same server, for a writer of this name. */
  readonly clientAs: (component: string) => Client
  readonly clock: Clock
  readonly random: RandomSource
  readonly log: Logger
  readonly health: HealthChecks
  readonly options: {
    readonly kinds: readonly KindDefinition[]
    readonly serviceClusterIpRange: string
    readonly clientCa: string
    readonly nodePortRange: NodePortRange
    /** Of this machine, in the Lease that names the server. */
    readonly hostname: string
  }
  readonly requestHeader: RequestHeaderSettings | null
  readonly keepsEndpoints: boolean
}

/** The owner of flow objects that upstream's server takes. */
const FLOW_WRITER = 'api-priority-and-fairness-config-producer-v1'
/** Upstream looks after its flow objects once a minute. */
const FLOW_INTERVAL_MS = 60_000
/** Upstream's interval of the reconcilers of the kubernetes Service and of the ServiceCIDR of that name. */
const SERVICE_INTERVAL_MS = 10_000
/** Leaks are found after a minute; upstream looks as often when something changes. */
const REPAIR_INTERVAL_MS = 60_000
const [ADDRESS_REPAIRER, PORT_REPAIRER] = ['ipallocator-repair-controller', 'portallocator-repair-controller']
const FLOW_API = 'flowcontrol.apiserver.k8s.io/v1'
const RETRY_MS = 500

type Hook = { readonly name: string; readonly done: () => void; readonly work: () => Promise<void> }
type Place = { readonly address: string; readonly port: number; readonly signal: AbortSignal }
/** Work that is done again and again; `done` is called after the first success. */
type Chore = { readonly what: string; readonly intervalMs: number; readonly done?: () => void }

export class Bootstrap {
  readonly #parts: BootstrapParts
  readonly #hooks: readonly Hook[]
  readonly #serviceDone: () => void
  readonly #leaseDone: () => void
  readonly #repairDone: () => void
  readonly #collectionDone: () => void
  readonly #reconcileFlows: () => Promise<void>
  readonly #keepsFlows: boolean
  readonly #keepServiceCidr: () => Promise<void>

  constructor(parts: BootstrapParts) {
    this.#parts = parts
    const { client, clock, health, options, requestHeader } = parts
    const bootstrap = { client, clock, ...options, requestHeader }
    const flows = { ...bootstrap, client: parts.clientAs(FLOW_WRITER) }
    this.#reconcileFlows = () => reconcileDefaultFlows(flows)
    const served = new Set(options.kinds.map(({ group, version }) => `${group}/${version}`))
    const hook = (name: string, work: () => Promise<void>, apiVersion = '/v1'): Hook[] =>
      served.has(apiVersion) ? [{ name, done: health.addStartHook(name), work }] : []
    // Upstream's hooks of groups come with their groups.
    this.#keepsFlows = served.has(FLOW_API)
    this.#keepServiceCidr = this.#serviceCidr()
    this.#hooks = [
      ...hook('start-system-namespaces-controller', () => createSystemNamespaces(bootstrap)),
      ...hook('rbac/bootstrap-roles', () => reconcileDefaultRoles(bootstrap), 'rbac.authorization.k8s.io/v1'),
      ...hook(
        'scheduling/bootstrap-system-priority-classes',
        () => createPriorityClasses(bootstrap),
        'scheduling.k8s.io/v1',
      ),
      ...hook('priority-and-fairness-config-producer', this.#reconcileFlows, FLOW_API),
      ...hook('start-cluster-authentication-info-controller', () => publishAuthentication(bootstrap)),
      ...hook('start-legacy-token-tracking-controller', () => publishTokenTracking(bootstrap)),
      ...hook('start-kubernetes-service-cidr-controller', this.#keepServiceCidr),
    ]

    this.#serviceDone = health.addStartHook('bootstrap-controller')
    this.#repairDone = health.addStartHook('start-service-ip-repair-controllers')
    this.#leaseDone = health.addStartHook('start-kube-apiserver-identity-lease-controller')
    this.#collectionDone = health.addStartHook('start-kube-apiserver-identity-lease-garbage-collector')
  }

  /** Runs the hooks in order, each until it succeeds; then goes on with what has to be kept until `signal` aborts. */
  async run(place: Place): Promise<void> {
    const { client, clock } = this.#parts
    const [namespaces, ...others] = this.#hooks
    await this.#until(namespaces!, place.signal)
    await Promise.all(others.map((hook) => this.#until(hook, place.signal)))
    const { signal } = place
    const repair = { what: 'Services', intervalMs: REPAIR_INTERVAL_MS, done: this.#repairDone }
    const renewal = { what: 'the identity Lease', intervalMs: RENEW_MS, done: this.#leaseDone }
    const collection = { what: 'the Leases of other servers', intervalMs: COLLECT_MS, done: this.#collectionDone }
    await Promise.all([
      this.#keepService(place),
      this.#keep({ what: 'the default ServiceCIDR', intervalMs: SERVICE_INTERVAL_MS }, signal, this.#keepServiceCidr),
      this.#keepsFlows
        ? this.#keep({ what: 'flow control', intervalMs: FLOW_INTERVAL_MS }, signal, this.#reconcileFlows)
        : Promise.resolve(),
      this.#keep(repair, signal, this.#repair()),
      this.#keep(renewal, signal, this.#renewal(place)),
      this.#keep(collection, signal, () => collectIdentityLeases({ client, clock })),
    ])
  }

  #serviceCidr(): () => Promise<void> {
    const { client, clock, random, log, options } = this.#parts
    const events = new ApiEventRecorder({ client, clock, random, log, component: SERVICE_CIDR_WRITER, host: '' })
    const ranges = options.serviceClusterIpRange.split(',').map((range) => range.trim())
    const keeper = new DefaultServiceCidr({ client, clock, log, events, ranges })
    return () => keeper.reconcile()
  }

  #repair(): () => Promise<void> {
    const { client, clock, random, log, options } = this.#parts
    const recorder = new ApiEventRecorder({ client, clock, random, log, component: ADDRESS_REPAIRER, host: '' })
    const events = { addresses: recorder, ports: recorder.recorderOf(PORT_REPAIRER) }
    return () => repairServices({ client, clock, nodePortRange: options.nodePortRange, events })
  }

  #renewal({ address, port }: Place): () => Promise<void> {
    const { client, clock, random, options } = this.#parts
    const processId = randomUuid(random)
    const peerAddress = isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`
    return () => renewIdentityLease({ client, clock, hostname: options.hostname, processId, peerAddress })
  }

  async #until(hook: Hook, signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#parts
    while (!signal.aborted) {
      try {
        await hook.work()
        return hook.done()
      } catch (error) {
        if (signal.aborted) return
        log.warn('start hook failed, trying again', { hook: hook.name, error: String(error) })
        await clock.sleep(RETRY_MS, signal).catch(() => {}) // Aborted: the loop ends by itself.
      }
    }
  }

  async #keepService({ address, port, signal }: Place): Promise<void> {
    const { client, options, keepsEndpoints } = this.#parts
    const clusterIp = firstServiceAddress(options.serviceClusterIpRange)
    const service = { clusterIp, address, port, keepsEndpoints }
    const chore = { what: 'the kubernetes Service', intervalMs: SERVICE_INTERVAL_MS, done: this.#serviceDone }
    await this.#keep(chore, signal, () => reconcileKubernetesService(client, service))
  }

  async #keep({ what, intervalMs, done }: Chore, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
    const { clock, log } = this.#parts
    let isDone = false
    while (!signal.aborted) {
      try {
        await work()
        if (!isDone) done?.()
        isDone = true
      } catch (error) {
        if (!signal.aborted) log.warn(`${what} could not be reconciled`, { error: String(error) })
      }
      await clock.sleep(isDone ? intervalMs : RETRY_MS, signal).catch(() => {}) // Aborted: the loop ends by itself.
    }
  }
}
