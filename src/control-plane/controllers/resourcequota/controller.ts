/** Keeps the status of each ResourceQuota equal to what the objects of its namespace use. */
import type { Pod, ResourceQuota } from '#api/core/v1.gen.ts'
import { isUncounted, resourcesOf } from '#api/core/resource-quota/usage.ts'
import { PODS, RESOURCEQUOTAS } from '#api/resources.gen.ts'
import type { ResourceRef } from '#api/resource-ref.ts'
import type { Clock } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import type { Client } from '#client/client.ts'
import { keyOf, type Informer, type InformerFactory } from '#client/informer.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import type { Controller, ControllerContext, Enqueue, Result } from '../controller.ts'
import { discoverResources } from '../deletable-resources.ts'
import { ignoreGone } from '../ignore-gone.ts'
import { canReplenish, hardNames, nextReleaseMs, planStatus, UsageSum } from './plan.ts'

/** The key that means: look which resources there are. Quotas' keys have a slash. */
const DISCOVERY = 'discovery'
/** A new kind is served shortly after its definition was written. */
const DISCOVERY_DELAY_MS = 1_000
/** Groups whose server did not answer are asked again. */
const DISCOVERY_RETRY_MS = 30_000
/** Their objects bring new kinds. */
const DEFINES_KINDS = ['apiextensions.k8s.io/customresourcedefinitions', 'apiregistration.k8s.io/apiservices']
const VERBS = ['create', 'list', 'watch', 'delete']
/** What admission has charged for is only checked again, many objects at a time. */
const RECHECK_MS = 1_000
/** Upstream's --resource-quota-sync-period: whatever was missed is noticed after this time. */
const SYNC_PERIOD_MS = 5 * 60_000
/** Objects that are summed up before other work has its turn. */
const SLICE = 200

export class ResourceQuotaController implements Controller {
  readonly name = 'resourcequota-controller'
  readonly workers = 5
  readonly #client: Client
  readonly #clock: Clock
  readonly #log: Logger
  readonly #informers: InformerFactory
  readonly #quotas: Informer<ResourceQuota>
  readonly #pods: Informer<Pod>
  readonly #watched = new Set<string>()
  /** Kinds whose objects are all known. */
  readonly #counted: ResourceRef[] = []
  #enqueue: Enqueue = () => {}

  constructor({ client, clock, log, informers }: ControllerContext) {
    this.#client = client
    this.#clock = clock
    this.#log = log
    this.#informers = informers
    this.#quotas = informers.informer(RESOURCEQUOTAS)
    this.#pods = informers.informer(PODS)
  }

  watch(enqueue: Enqueue): void {
    this.#enqueue = enqueue
    enqueue(DISCOVERY)
    this.#quotas.addHandler({
      added: (quota) => enqueue(keyOf(quota)),
      // Its status is written here and by admission: neither is news.
      updated: (quota, old) => {
        if (JSON.stringify(quota.spec) !== JSON.stringify(old.spec)) enqueue(keyOf(quota))
      },
    })
  }

  async reconcile(key: string, signal: AbortSignal): Promise<Result> {
    if (key === DISCOVERY) return this.#discover(signal)
    const quota = this.#quotas.get(key)
    if (quota === undefined) return {}
    const sum = new UsageSum(quota, this.#clock.now())
    for (const resource of this.#counted) await this.#addUsage(quota, resource, sum)
    const changed = planStatus(quota, sum.total())
    if (changed !== null) await ignoreGone(this.#client.updateStatus<ResourceQuota>(RESOURCEQUOTAS, changed, signal))
    const pods = this.#isOf(PODS, quota) ? this.#pods.list(quota.metadata.namespace) : []
    return { requeueAfterMs: Math.min(SYNC_PERIOD_MS, nextReleaseMs(pods, this.#clock.now()) ?? SYNC_PERIOD_MS) }
  }

  #isOf(resource: ResourceRef, quota: ResourceQuota): boolean {
    return resourcesOf(resource, hardNames(quota)).length > 0
  }

  async #addUsage(quota: ResourceQuota, resource: ResourceRef, sum: UsageSum): Promise<void> {
    if (!this.#isOf(resource, quota)) return
    const objects = this.#informers.informer(resource).list(quota.metadata.namespace)
    sum.add(resource, objects.slice(0, SLICE))
    for (let start = SLICE; start < objects.length; start += SLICE) {
      await this.#clock.yield()
      sum.add(resource, objects.slice(start, start + SLICE))
    }
  }

  async #discover(signal: AbortSignal): Promise<Result> {
    const { resources, failedGroups } = await discoverResources(this.#client, VERBS, signal)
    for (const resource of resources) {
      const name = `${resource.group}/${resource.resource}`
      if (this.#watched.has(name)) continue
      this.#watched.add(name)
      if (DEFINES_KINDS.includes(name)) this.#discoverOnChange(resource)
      if (resource.namespaced && !isUncounted(resource)) this.#follow(resource)
    }
    if (failedGroups.length > 0) this.#log.warn('some groups could not be discovered', { failedGroups })
    return failedGroups.length > 0 ? { requeueAfterMs: DISCOVERY_RETRY_MS } : {}
  }

  #discoverOnChange(resource: ResourceRef): void {
    const onKinds = (): void => this.#enqueue(DISCOVERY, DISCOVERY_DELAY_MS)
    this.#informers.informer(resource).addHandler({ added: onKinds, updated: onKinds, deleted: onKinds })
  }

  /** A kind that never answers holds up nobody: what it would count keeps its old number. */
  #follow(resource: ResourceRef): void {
    const informer = this.#informers.informer(resource)
    informer.addHandler({
      added: (object) => this.#recount(resource, object, RECHECK_MS),
      updated: (object, old) => {
        // Most namespaces have no quota, and pods change often.
        if (this.#quotas.list(object.metadata.namespace).length === 0) return
        if (canReplenish(resource, object, old, this.#clock.now())) this.#recount(resource, object)
      },
      deleted: (object) => this.#recount(resource, object),
    })
    void informer.synced().then(() => {
      this.#counted.push(resource)
      for (const quota of this.#quotas.list()) if (this.#isOf(resource, quota)) this.#enqueue(keyOf(quota))
    })
  }

  #recount(resource: ResourceRef, { metadata }: KubernetesObject, afterMs = 0): void {
    for (const quota of this.#quotas.list(metadata.namespace))
      if (this.#isOf(resource, quota)) this.#enqueue(keyOf(quota), afterMs)
  }
}
