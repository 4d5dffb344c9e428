/** Keeps the EndpointSlices of each Service equal to the pods that its selector finds. */
import type { Node, Pod, Service } from '#api/core/v1.gen.ts'
import type { EndpointSlice } from '#api/discovery/v1.gen.ts'
import { ENDPOINTSLICES, NODES, PODS, SERVICES } from '#api/resources.gen.ts'
import type { Client } from '#client/client.ts'
import type { EventRecorder } from '#client/event-recorder.ts'
import { keyOf, type Informer } from '#client/informer.ts'
import { isNamespaceTerminating } from '#client/namespace-terminating.ts'
import type { Controller, ControllerContext, Enqueue, Result } from '../controller.ts'
import { ignoreGone } from '../ignore-gone.ts'
import { referenceTo } from '../object-key.ts'
import { MANAGED_BY_LABEL, MANAGER, planEndpointSlices, SERVICE_NAME_LABEL, type SlicePlan } from './plan.ts'
import { hasManagedEndpoints, podsOf, servicesTouchedBy } from './service-pods.ts'
import { TriggerTimes } from './trigger-times.ts'
import { WrittenSlices } from './written-slices.ts'

const BY_SERVICE = 'endpointslice/service'
/** A pod whose node is not known yet is looked at again after this time. */
const NODE_RETRY_MS = 1000

export class EndpointSliceController implements Controller {
  readonly name = 'endpointslice-controller'
  readonly workers = 5
  readonly #client: Client
  readonly #events: EventRecorder
  readonly #services: Informer<Service>
  readonly #pods: Informer<Pod>
  readonly #nodes: Informer<Node>
  readonly #slices: Informer<EndpointSlice>
  readonly #triggerTimes = new TriggerTimes()
  readonly #written = new WrittenSlices()

  constructor({ client, events, informers }: ControllerContext) {
    this.#client = client
    this.#events = events
    this.#services = informers.informer(SERVICES)
    this.#pods = informers.informer(PODS)
    this.#nodes = informers.informer(NODES)
    this.#slices = informers.informer(ENDPOINTSLICES)
  }

  watch(enqueue: Enqueue): void {
    const onService = (service: Service): void => enqueue(keyOf(service))
    this.#services.addHandler({ added: onService, updated: onService, deleted: onService })
    const onPod = (pod: Pod, old: Pod | null): void => {
      for (const service of servicesTouchedBy(pod, old, this.#services)) enqueue(keyOf(service))
    }
    this.#pods.addHandler({
      added: (pod) => onPod(pod, null),
      updated: onPod,
      deleted: (pod) => onPod(pod, null),
    })
    this.#slices.addIndex(BY_SERVICE, (slice) => (isManaged(slice) ? [serviceKeyOf(slice)] : []))
    const onSlice = (slice: EndpointSlice): void => {
      if (isManaged(slice) && !this.#written.observe(serviceKeyOf(slice), slice)) enqueue(serviceKeyOf(slice))
    }
    this.#slices.addHandler({
      added: onSlice,
      updated: (slice, old) => {
        onSlice(slice)
        if (isManaged(old) && (!isManaged(slice) || serviceKeyOf(old) !== serviceKeyOf(slice)))
          enqueue(serviceKeyOf(old))
      },
      deleted: (slice) => {
        if (!isManaged(slice)) return
        this.#written.observeDeleted(serviceKeyOf(slice), slice)
        enqueue(serviceKeyOf(slice))
      },
    })
  }

  async reconcile(key: string, signal: AbortSignal): Promise<Result> {
    const service = this.#services.get(key)
    if (service === undefined) {
      this.#triggerTimes.forget(key)
      this.#written.forget(key)
      return {}
    }
    if (!hasManagedEndpoints(service)) return {}
    const pods = podsOf(service, this.#pods)
    const plan = planEndpointSlices({
      service,
      pods,
      slices: this.#currentSlices(key),
      nodeOf: (name) => this.#nodes.get(name),
      triggerTime: this.#triggerTimes.observe(key, service, pods),
    })
    try {
      await this.#apply(key, plan, signal)
    } catch (error) {
      this.#written.forget(key)
      if (signal.aborted || isNamespaceTerminating(error)) return {}
      const message = `Error updating Endpoint Slices for Service ${key}: ${(error as Error).message}`
      this.#events.event(referenceTo(SERVICES, service), 'Warning', 'FailedToUpdateEndpointSlices', message)
      throw error
    }
    return plan.unknownNodes.length > 0 ? { requeueAfterMs: NODE_RETRY_MS } : {}
  }

  #currentSlices(key: string): EndpointSlice[] {
    const slices = this.#written.overlay(key, this.#slices.byIndex(BY_SERVICE, key))
    return slices.filter(({ metadata }) => metadata.deletionTimestamp === undefined)
  }

  async #apply(key: string, plan: SlicePlan, signal: AbortSignal): Promise<void> {
    for (const slice of plan.create) this.#remember(key, await this.#client.create(ENDPOINTSLICES, slice, signal))
    for (const slice of plan.update) this.#remember(key, await this.#client.update(ENDPOINTSLICES, slice, signal))
    for (const slice of plan.delete) {
      const { namespace, name } = slice.metadata
      await ignoreGone(this.#client.delete(ENDPOINTSLICES, namespace!, name, {}, signal))
      if (this.#slices.get(keyOf(slice))?.metadata.uid === slice.metadata.uid) this.#written.remove(key, slice)
    }
  }

  /** The informer may have been faster than the answer. */
  #remember(key: string, written: EndpointSlice): void {
    const shown = this.#slices.get(keyOf(written))
    if (shown === undefined || Number(shown.metadata.resourceVersion) < Number(written.metadata.resourceVersion))
      this.#written.add(key, written)
  }
}

function isManaged({ metadata }: EndpointSlice): boolean {
  return metadata.labels?.[MANAGED_BY_LABEL] === MANAGER && Boolean(metadata.labels[SERVICE_NAME_LABEL])
}

function serviceKeyOf({ metadata }: EndpointSlice): string {
  return `${metadata.namespace}/${metadata.labels?.[SERVICE_NAME_LABEL]}`
}
