/** Sends the traffic of Services to their endpoints: follows Services and EndpointSlices and keeps this node's nftables rules equal to them. */
import type { Clock } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import { runCommand } from '#base/run-command.ts'
import type { Service } from '#api/core/v1.gen.ts'
import type { EndpointSlice } from '#api/discovery/v1.gen.ts'
import { keyOf, type Informer } from '#client/informer.ts'
import { planService, type ProxiedPort } from './plan-services.ts'
import { EMPTY_RULESET, renderChange, renderTable } from './render.ts'
import { buildRuleset, TABLE, type Ruleset } from './ruleset.ts'
import { removedUdpTargets, type UdpTarget } from './udp-targets.ts'

export type ProxyOptions = {
  readonly services: Informer<Service>
  readonly slices: Informer<EndpointSlice>
  readonly nodeName: string
  /** Label topology.kubernetes.io/zone of this node now, '' for none. */
  readonly zone: () => string
  /** All pods of the cluster. */
  readonly podNetwork: string
  /** Whether the address belongs to a pod of this node. */
  readonly isLocalPod: (ip: string) => boolean
  readonly clock: Clock
  readonly log: Logger
}

/** Changes that come within this time are applied together: one transaction costs about 6 ms whatever its size. */
const BATCH_MS = 10
const RETRY_MS = 1000
const SERVICE_NAME_LABEL = 'kubernetes.io/service-name'
const BY_SERVICE = 'proxy/service'

export class ServiceProxy {
  readonly #options: ProxyOptions
  /** Planned ports by Service key; only Services that changed are planned again. */
  readonly #planned = new Map<string, readonly ProxiedPort[]>()
  readonly #changed = new Set<string>()
  #applied: Ruleset | null = null
  #appliedPorts: readonly ProxiedPort[] = []
  #running = false

  constructor(options: ProxyOptions) {
    this.#options = options
  }

  /** Registers with the informers; their start belongs to the caller. Rules appear when both are synced. */
  watch(signal: AbortSignal): void {
    const { services, slices } = this.#options
    slices.addIndex(BY_SERVICE, (slice) => {
      const name = slice.metadata.labels?.[SERVICE_NAME_LABEL]
      return name === undefined ? [] : [`${slice.metadata.namespace}/${name}`]
    })
    const change = (key: string): void => {
      this.#changed.add(key)
      void this.#run(signal)
    }
    const serviceChanged = (service: Service): void => change(keyOf(service))
    const sliceChanged = (slice: EndpointSlice): void => {
      const name = slice.metadata.labels?.[SERVICE_NAME_LABEL]
      if (name !== undefined) change(`${slice.metadata.namespace}/${name}`)
    }
    services.addHandler({ added: serviceChanged, updated: serviceChanged, deleted: serviceChanged })
    slices.addHandler({ added: sliceChanged, updated: sliceChanged, deleted: sliceChanged })
    void this.#run(signal)
  }

  async #run(signal: AbortSignal): Promise<void> {
    if (this.#running) return
    this.#running = true
    const { services, slices, clock, log } = this.#options
    try {
      await Promise.all([services.synced(), slices.synced()])
      while (!signal.aborted && (this.#changed.size > 0 || this.#applied === null)) {
        await clock.sleep(BATCH_MS, signal)
        await this.#sync()
      }
    } catch (error) {
      if (signal.aborted) return
      log.error('service rules could not be applied', { error: String(error) })
      this.#applied = null // What the kernel holds is not known: the next round replaces the whole table.
      clock.setTimer(RETRY_MS, () => void this.#run(signal))
    } finally {
      this.#running = false
    }
  }

  async #sync(): Promise<void> {
    const { services, slices, nodeName, zone, podNetwork, isLocalPod } = this.#options
    for (const key of this.#changed) {
      const service = services.get(key)
      if (service === undefined) this.#planned.delete(key)
      else this.#planned.set(key, planService(service, slices.byIndex(BY_SERVICE, key), { nodeName, zone: zone() }))
    }
    this.#changed.clear()
    const ports = [...this.#planned.values()].flat()
    const next = buildRuleset(ports, { podNetwork, isLocalPod })
    const text =
      this.#applied === null
        ? renderTable(podNetwork) + renderChange(EMPTY_RULESET, next)
        : renderChange(this.#applied, next)
    if (text !== '') await runCommand('nft', ['-f', '-'], text)
    this.#applied = next
    const gone = removedUdpTargets(this.#appliedPorts, ports)
    this.#appliedPorts = ports
    for (const target of gone) await this.#forgetFlows(target)
  }

  /** A UDP client with a fixed source port would stay on an endpoint that is gone for as long as it talks. */
  async #forgetFlows({ clusterIp, port, endpointIp }: UdpTarget): Promise<void> {
    const args = ['-D', '-p', 'udp', '--orig-dst', clusterIp, '--dport', String(port), '--reply-src', endpointIp]
    await runCommand('conntrack', args).catch((error: unknown) => {
      if (!/0 flow entries/.test(String(error)))
        this.#options.log.warn('stale UDP flows were not removed', { error: String(error) })
    })
  }
}

/** Removes the rules of this node, if it has any. */
export async function removeServiceRules(): Promise<void> {
  await runCommand('nft', ['-f', '-'], `table ip ${TABLE}\ndelete table ip ${TABLE}\n`)
}
