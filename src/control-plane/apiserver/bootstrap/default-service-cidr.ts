/** Keeps the ServiceCIDR `kubernetes`: the range of service addresses that the server was started with. */
import { isDeepStrictEqual } from 'node:util'
import type { ServiceCIDR } from '#api/networking/v1.gen.ts'
import { SERVICECIDRS } from '#api/resources.gen.ts'
import type { Clock } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import type { Client } from '#client/client.ts'
import type { EventRecorder } from '#client/event-recorder.ts'
import { isNotFound } from '#machinery/status-error.ts'
import { formatSeconds } from '../registry/object-writer.ts'
import { createIfMissing } from './kubernetes-service.ts'

const NAME = 'kubernetes'
export const SERVICE_CIDR_WRITER = 'kubernetes-service-cidr-controller'
const ERROR_REASON = 'KubernetesDefaultServiceCIDRError'

export type DefaultServiceCidrOptions = {
  readonly client: Client
  readonly clock: Clock
  readonly log: Logger
  readonly events: EventRecorder
  /** One, or one of each family. */
  readonly ranges: readonly string[]
}

export class DefaultServiceCidr {
  readonly #options: DefaultServiceCidrOptions
  /** What an administrator has to mend is told once. */
  readonly #reported = new Set<string>()

  constructor(options: DefaultServiceCidrOptions) {
    this.#options = options
  }

  /** Made again when it is gone; ranges of an existing one change only by a second family that joins. */
  async reconcile(): Promise<void> {
    const { client, ranges } = this.#options
    const existing = await client.get(SERVICECIDRS, '', NAME).catch((error: unknown) => {
      if (isNotFound(error)) return null
      throw error
    })
    if (existing === null) {
      await createIfMissing(client, SERVICECIDRS, { metadata: { name: NAME }, spec: { cidrs: [...ranges] } })
      return this.#reconcileStatus(await client.get(SERVICECIDRS, '', NAME))
    }
    const cidrs = existing.spec?.cidrs ?? []
    if (ranges.length === 2 && cidrs.length === 1 && cidrs[0] === ranges[0]) await this.#addFamily(existing)
    else await this.#reconcileStatus(existing)
  }

  async #addFamily(existing: ServiceCIDR): Promise<void> {
    const { client, ranges } = this.#options
    try {
      await client.update(SERVICECIDRS, { ...existing, spec: { ...existing.spec, cidrs: [...ranges] } })
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      const change = `can not be upgraded from ${ranges[0]} to dual stack ${formatList(ranges)}`
      this.#warn(existing, ERROR_REASON, `The default ServiceCIDR ${change} : ${message}`)
    }
  }

  async #reconcileStatus(serviceCidr: ServiceCIDR): Promise<void> {
    // Whether it can go is decided where all ServiceCIDRs are looked after.
    if (serviceCidr.metadata.deletionTimestamp !== undefined) return
    const cidrs = serviceCidr.spec?.cidrs ?? []
    const { ranges } = this.#options
    if (!isDeepStrictEqual([...cidrs], [...ranges])) {
      const message = `The default ServiceCIDR ${formatList(cidrs)} does not match the controller flag configurations ${formatList(ranges)}`
      return this.#warnOnce(serviceCidr, 'KubernetesDefaultServiceCIDRInconsistent', message)
    }
    const ready = serviceCidr.status?.conditions?.find(({ type }) => type === 'Ready')
    if (ready?.status === 'False')
      this.#warnOnce(serviceCidr, ready.reason, `Configuration matches, but ${ready.message}`)
    else if (ready?.status !== 'True') await this.#tellReady(serviceCidr)
  }

  async #tellReady(serviceCidr: ServiceCIDR): Promise<void> {
    const { client, clock, log } = this.#options
    const ready = {
      type: 'Ready',
      status: 'True',
      reason: '',
      message: 'Kubernetes default Service CIDR is ready',
      lastTransitionTime: formatSeconds(clock.now()),
    }
    const applied = {
      kind: 'ServiceCIDR',
      apiVersion: 'networking.k8s.io/v1',
      metadata: { name: NAME },
      status: { conditions: [ready] },
    }
    const options = { fieldManager: SERVICE_CIDR_WRITER, force: true, subresource: 'status' }
    await client.patch(SERVICECIDRS, '', NAME, 'apply', applied, options).catch((error: unknown) => {
      log.warn('the status of the default ServiceCIDR could not be told', { error: String(error) })
      this.#warn(serviceCidr, ERROR_REASON, 'The default ServiceCIDR Status can not be set to Ready=True')
    })
  }

  #warnOnce(serviceCidr: ServiceCIDR, reason: string, message: string): void {
    if (this.#reported.has(reason)) return
    this.#reported.add(reason)
    this.#warn(serviceCidr, reason, message)
  }

  #warn({ metadata }: ServiceCIDR, reason: string, message: string): void {
    const { name, uid, resourceVersion } = metadata
    const about = {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'ServiceCIDR',
      name,
      uid: uid!,
      resourceVersion: resourceVersion!,
    }
    this.#options.events.event(about, 'Warning', reason, message)
  }
}

/** As Go prints a slice of texts. */
const formatList = (texts: readonly string[]): string => `[${texts.join(' ')}]`
