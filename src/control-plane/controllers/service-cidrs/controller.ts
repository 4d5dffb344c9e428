/** Says that ServiceCIDRs are ready, and keeps those that are being deleted until no address of a Service needs them. */
import type { IPAddress, ServiceCIDR } from '#api/networking/v1.gen.ts'
import { IPADDRESSES, SERVICECIDRS } from '#api/resources.gen.ts'
import type { Clock } from '#base/clock.ts'
import type { Client } from '#client/client.ts'
import type { EventRecorder } from '#client/event-recorder.ts'
import type { Informer } from '#client/informer.ts'
import type { Controller, ControllerContext, Enqueue, Result } from '../controller.ts'
import { needsLook, protect } from '../finalizer.ts'
import { ignoreGone } from '../ignore-gone.ts'
import { formatTime, referenceTo } from '../object-key.ts'
import { canDelete, containingAddress, isManaged, overlapping } from './plan.ts'

const FINALIZER = 'networking.k8s.io/service-cidr-finalizer'
/** API servers may still give addresses of a range whose deletion they have not seen. */
const DELETION_GRACE_MS = 10_000
const READY = { status: 'True', reason: '', message: 'Kubernetes Service CIDR is ready' }
const TERMINATING = {
  status: 'False',
  reason: 'Terminating',
  message: 'There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR',
}

export class ServiceCidrsController implements Controller {
  readonly name = 'service-cidr-controller'
  readonly workers = 5
  readonly #client: Client
  readonly #clock: Clock
  readonly #events: EventRecorder
  readonly #serviceCidrs: Informer<ServiceCIDR>
  readonly #addresses: Informer<IPAddress>

  constructor({ client, clock, events, informers }: ControllerContext) {
    this.#client = client
    this.#clock = clock
    this.#events = events
    this.#serviceCidrs = informers.informer(SERVICECIDRS)
    this.#addresses = informers.informer(IPADDRESSES)
  }

  watch(enqueue: Enqueue): void {
    const enqueueAll = (serviceCidrs: readonly ServiceCIDR[]): void => {
      for (const { metadata } of serviceCidrs) enqueue(metadata.name)
    }
    this.#serviceCidrs.addHandler({
      // A new range may hold what keeps another one.
      added: (added) => enqueueAll([added, ...overlapping(added, this.#serviceCidrs.list())]),
      updated: ({ metadata }) => enqueue(metadata.name),
    })
    const onAddress = (address: IPAddress): void => {
      if (isManaged(address)) enqueueAll(containingAddress(address.metadata.name, this.#serviceCidrs.list()))
    }
    this.#addresses.addHandler({ added: onAddress, deleted: onAddress })
  }

  async reconcile(key: string, signal: AbortSignal): Promise<Result> {
    const serviceCidr = this.#serviceCidrs.get(key)
    if (serviceCidr === undefined) return {}
    const target = { client: this.#client, resource: SERVICECIDRS, finalizer: FINALIZER }
    const { deletionTimestamp } = serviceCidr.metadata
    if (deletionTimestamp !== undefined) {
      if (needsLook(serviceCidr, FINALIZER) && this.#isUsed(serviceCidr)) {
        await this.#tell(serviceCidr, TERMINATING, signal)
        return {}
      }
      const left = DELETION_GRACE_MS - (this.#clock.now() - Date.parse(deletionTimestamp))
      if (left > 0) return { requeueAfterMs: left }
    }
    await protect(target, serviceCidr, () => this.#isUsed(serviceCidr), signal)
    if (deletionTimestamp === undefined) await this.#tellReady(serviceCidr, signal)
    return {}
  }

  #isUsed(serviceCidr: ServiceCIDR): boolean {
    return !canDelete(serviceCidr, this.#serviceCidrs.list(), this.#addresses.list())
  }

  async #tellReady(serviceCidr: ServiceCIDR, signal: AbortSignal): Promise<void> {
    try {
      await this.#tell(serviceCidr, READY, signal)
    } catch (error) {
      const message = 'The ServiceCIDR Status can not be set to Ready=True'
      this.#events.event(referenceTo(SERVICECIDRS, serviceCidr), 'Warning', 'KubernetesServiceCIDRError', message)
      throw error
    }
  }

  async #tell({ metadata, status }: ServiceCIDR, told: typeof READY, signal: AbortSignal): Promise<void> {
    const known = status?.conditions?.find(({ type }) => type === 'Ready')
    if (known?.status === told.status && (known.reason ?? '') === told.reason && known.message === told.message) return
    const lastTransitionTime = formatTime(this.#clock.now())
    const applied = {
      kind: 'ServiceCIDR',
      apiVersion: 'networking.k8s.io/v1',
      metadata: { name: metadata.name },
      status: { conditions: [{ type: 'Ready', ...told, lastTransitionTime }] },
    }
    const options = { fieldManager: this.name, force: true, subresource: 'status' }
    await ignoreGone(this.#client.patch(SERVICECIDRS, '', metadata.name, 'apply', applied, options, signal))
  }
}
