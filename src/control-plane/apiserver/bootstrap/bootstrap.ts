/** Brings a new or restarted server's default objects into place, and keeps the `kubernetes` Service right. */
import type { KindDefinition } from '#api/kind.ts'
import type { Clock } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import type { Client } from '#client/client.ts'
import type { RequestHeaderSettings } from '../settings.ts'
import type { HealthChecks } from '../health/health-checks.ts'
import {
  FLOW_CONTROL,
  PRIORITY_CLASSES,
  createDefaultPolicies,
  createSystemNamespaces,
  publishAuthentication,
  publishServiceRange,
  publishTokenTracking,
  reconcileDefaultRoles,
} from './bootstrap-objects.ts'
import { reconcileKubernetesService } from './kubernetes-service.ts'
import { firstServiceAddress } from './service-range.ts'

export type BootstrapParts = {
  readonly client: Client
  readonly clock: Clock
  readonly log: Logger
  readonly health: HealthChecks
  readonly options: {
    readonly kinds: readonly KindDefinition[]
    readonly serviceClusterIpRange: string
    readonly clientCa: string
  }
  readonly requestHeader: RequestHeaderSettings | null
  readonly keepsEndpoints: boolean
}

/** Upstream's interval of the kubernetes Service's reconciler. */
const SERVICE_INTERVAL_MS = 10_000
const RETRY_MS = 500

type Hook = { readonly name: string; readonly done: () => void; readonly work: () => Promise<void> }
type Place = { readonly address: string; readonly port: number; readonly signal: AbortSignal }

export class Bootstrap {
  readonly #parts: BootstrapParts
  readonly #hooks: readonly Hook[]
  readonly #serviceDone: () => void

  constructor(parts: BootstrapParts) {
    this.#parts = parts
    const { client, clock, health, options, requestHeader } = parts
    const bootstrap = { client, clock, ...options, requestHeader }
    const hook = (name: string, work: () => Promise<void>): Hook => ({ name, done: health.addStartHook(name), work })
    this.#hooks = [
      hook('start-system-namespaces-controller', () => createSystemNamespaces(bootstrap)),
      hook('rbac/bootstrap-roles', () => reconcileDefaultRoles(bootstrap)),
      hook('scheduling/bootstrap-system-priority-classes', () => createDefaultPolicies(bootstrap, PRIORITY_CLASSES)),
      hook('priority-and-fairness-config-producer', () => createDefaultPolicies(bootstrap, FLOW_CONTROL)),
      hook('start-cluster-authentication-info-controller', () => publishAuthentication(bootstrap)),
      hook('start-legacy-token-tracking-controller', () => publishTokenTracking(bootstrap)),
      hook('start-kubernetes-service-cidr-controller', () => publishServiceRange(bootstrap)),
    ]
    this.#serviceDone = health.addStartHook('bootstrap-controller')
  }

  /** Runs the hooks in order, each until it succeeds; then goes on with the Service until `signal` aborts. */
  async run(place: Place): Promise<void> {
    const [namespaces, ...others] = this.#hooks
    await this.#until(namespaces!, place.signal)
    await Promise.all(others.map((hook) => this.#until(hook, place.signal)))
    await this.#keepService(place)
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
    const { client, clock, log, options, keepsEndpoints } = this.#parts
    const clusterIp = firstServiceAddress(options.serviceClusterIpRange)
    const service = { clusterIp, address, port, keepsEndpoints }
    let isDone = false
    while (!signal.aborted) {
      try {
        await reconcileKubernetesService(client, service)
        if (!isDone) this.#serviceDone()
        isDone = true
      } catch (error) {
        if (!signal.aborted) log.warn('the kubernetes Service could not be reconciled', { error: String(error) })
      }
      await clock.sleep(isDone ? SERVICE_INTERVAL_MS : RETRY_MS, signal).catch(() => {}) // Aborted: the loop ends by itself.
    }
  }
}
