/** Keeps the Endpoints object of each Service equal to the pods that its selector finds. */
import type { Endpoints, Pod, Service } from '#api/core/v1.gen.ts'
import { ENDPOINTS, PODS, SERVICES } from '#api/resources.gen.ts'
import type { Client } from '#client/client.ts'
import type { EventRecorder } from '#client/event-recorder.ts'
import { keyOf, type Informer } from '#client/informer.ts'
import { isNamespaceTerminating } from '#client/namespace-terminating.ts'
import type { Controller, ControllerContext, Enqueue, Result } from '../controller.ts'
import { hasManagedEndpoints, podsOf, servicesTouchedBy } from '../endpointslice/service-pods.ts'
import { TriggerTimes } from '../endpointslice/trigger-times.ts'
import { ignoreGone } from '../ignore-gone.ts'
import { referenceTo, splitKey } from '../object-key.ts'
import { planEndpoints } from './plan.ts'

const LEADER_ANNOTATION = 'control-plane.alpha.kubernetes.io/leader'

export class EndpointsController implements Controller {
  readonly name = 'endpoints-controller'
  readonly workers = 5
  readonly #client: Client
  readonly #events: EventRecorder
  readonly #services: Informer<Service>
  readonly #pods: Informer<Pod>
  readonly #endpoints: Informer<Endpoints>
  readonly #triggerTimes = new TriggerTimes()
  /** Service key -> as written here, until the informer shows it. */
  readonly #written = new Map<string, Endpoints>()

  constructor({ client, events, informers }: ControllerContext) {
    this.#client = client
    this.#events = events
    this.#services = informers.informer(SERVICES)
    this.#pods = informers.informer(PODS)
    this.#endpoints = informers.informer(ENDPOINTS)
  }

  watch(enqueue: Enqueue): void {
    const onService = (service: Service): void => enqueue(keyOf(service))
    this.#services.addHandler({ added: onService, updated: onService, deleted: onService })
    const onPod = (pod: Pod, old: Pod | null): void => {
      for (const service of servicesTouchedBy(pod, old, this.#services)) enqueue(keyOf(service))
    }
    this.#pods.addHandler({ added: (pod) => onPod(pod, null), updated: onPod, deleted: (pod) => onPod(pod, null) })
    const onEndpoints = (endpoints: Endpoints): void => {
      if (!this.#isOwnWrite(endpoints)) enqueue(keyOf(endpoints))
    }
    this.#endpoints.addHandler({
      added: onEndpoints,
      updated: onEndpoints,
      deleted: (endpoints) => {
        if (this.#written.get(keyOf(endpoints))?.metadata.uid === endpoints.metadata.uid)
          this.#written.delete(keyOf(endpoints))
        enqueue(keyOf(endpoints))
      },
    })
  }

  #isOwnWrite(endpoints: Endpoints): boolean {
    const written = this.#written.get(keyOf(endpoints))
    if (written === undefined) return false
    const difference = Number(endpoints.metadata.resourceVersion) - Number(written.metadata.resourceVersion)
    if (difference >= 0) this.#written.delete(keyOf(endpoints))
    return difference <= 0
  }

  async reconcile(key: string, signal: AbortSignal): Promise<Result> {
    const service = this.#services.get(key)
    const current = this.#written.get(key) ?? this.#endpoints.get(key)
    if (service === undefined) {
      this.#triggerTimes.forget(key)
      this.#written.delete(key)
      if (current !== undefined && current.metadata.annotations?.[LEADER_ANNOTATION] === undefined)
        await this.#delete(key, signal)
      return {}
    }
    if (!hasManagedEndpoints(service)) return {}
    const pods = podsOf(service, this.#pods)
    const wanted = planEndpoints(service, pods, current, this.#triggerTimes.observe(key, service, pods))
    if (wanted === null) return {}
    try {
      const written =
        current === undefined
          ? await this.#client.create<Endpoints>(ENDPOINTS, wanted, signal)
          : await this.#client.update<Endpoints>(ENDPOINTS, wanted as Endpoints, signal)
      this.#remember(key, written)
    } catch (error) {
      this.#written.delete(key)
      if (signal.aborted || isNamespaceTerminating(error)) return {}
      this.#tellFailure(service, current === undefined, error as Error)
      throw error
    }
    return {}
  }

  /** The informer may have been faster than the answer. */
  #remember(key: string, written: Endpoints): void {
    const shown = this.#endpoints.get(key)
    if (shown !== undefined && Number(shown.metadata.resourceVersion) >= Number(written.metadata.resourceVersion))
      return
    this.#written.set(key, written)
  }

  async #delete(key: string, signal: AbortSignal): Promise<void> {
    const { namespace, name } = splitKey(key)
    await ignoreGone(this.#client.delete(ENDPOINTS, namespace, name, {}, signal))
  }

  #tellFailure(service: Service, isCreate: boolean, { message }: Error): void {
    const { namespace, name } = service.metadata
    const about = referenceTo(SERVICES, service)
    if (isCreate)
      this.#events.event(
        about,
        'Warning',
        'FailedToCreateEndpoint',
        `Failed to create endpoint for service ${namespace}/${name}: ${message}`,
      )
    else
      this.#events.event(
        about,
        'Warning',
        'FailedToUpdateEndpoint',
        `Failed to update endpoint ${namespace}/${name}: ${message}`,
      )
  }
}
