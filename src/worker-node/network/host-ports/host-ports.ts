/** Serves the host ports of this node's pods with nftables: whatever arrives at the node's port goes to the pod. */
import { writeFile } from 'node:fs/promises'
import { isDeepStrictEqual } from 'node:util'
import type { Logger } from '#base/log.ts'
import { runCommand } from '#base/run-command.ts'
import type { HostPort, HostPortService } from '../../host-port-service.ts'
import {
  changedUdpPorts,
  elementsOf,
  parseListing,
  podIpOf,
  renderHostPorts,
  TABLE,
  type Elements,
  type PodPorts,
} from './table.ts'

export type HostPortsOptions = {
  /** Addresses on the node that are not the node's own, such as that of the cluster DNS: no host port answers there. */
  readonly reserved: readonly string[]
  readonly log: Logger
}

const NOTHING: Elements = { everywhere: new Map(), addressed: new Map() }

export class HostPorts implements HostPortService {
  readonly #options: HostPortsOptions
  readonly #pods = new Map<string, PodPorts>()
  /** What the kernel held when this program started: the pods go on while it does not run. */
  #inherited: Elements = NOTHING
  /** What the kernel holds; null before the first look. */
  #applied: Elements | null = null
  #last: Promise<void> = Promise.resolve()

  constructor(options: HostPortsOptions) {
    this.#options = options
  }

  set(podUid: string, podIp: string, ports: readonly HostPort[]): Promise<void> {
    return this.#change(async () => {
      const before = this.#pods.get(podUid)
      // A pod that is only told again stays where it is in the order: the newer pod wins a port.
      if (before !== undefined && before.podIp === podIp && isDeepStrictEqual(before.ports, ports)) return
      if (ports.length > 0 && before?.podIp !== podIp) await this.#routeLoopback(podIp)
      this.#pods.delete(podUid)
      if (ports.length > 0) this.#pods.set(podUid, { podIp, ports })
      this.#forget((key, target, own) => podIpOf(target) === podIp || own.has(key))
    })
  }

  remove(podUid: string): Promise<void> {
    return this.#change(() => {
      this.#pods.delete(podUid)
      return Promise.resolve()
    })
  }

  retain(podIps: ReadonlySet<string>): Promise<void> {
    return this.#change(() => {
      this.#forget((_key, target) => !podIps.has(podIpOf(target)))
      return Promise.resolve()
    })
  }

  /** Of what was inherited, that which its pod has taken over or nobody has a claim to. */
  #forget(isGone: (key: string, target: string, own: ReadonlyMap<string, string>) => boolean): void {
    const own = elementsOf(this.#pods.values())
    const keep = (name: keyof Elements): ReadonlyMap<string, string> =>
      new Map([...this.#inherited[name]].filter(([key, target]) => !isGone(key, target, own[name])))
    this.#inherited = { everywhere: keep('everywhere'), addressed: keep('addressed') }
  }

  /** One change after the other; a failed one is the caller's to repeat, and the next applies all that is wanted. */
  #change(edit: () => Promise<void>): Promise<void> {
    const done = this.#last.then(async () => {
      this.#applied ??= await this.#inherit()
      await edit()
      await this.#apply(this.#applied)
    })
    this.#last = done.catch(() => {})
    return done
  }

  async #inherit(): Promise<Elements> {
    const listing = await runCommand('nft', ['-j', 'list', 'table', 'ip', TABLE]).catch((error: unknown) => {
      if (/No such file or directory/.test(String(error))) return ''
      throw error // What is not known would be flushed, with the connections of pods that run on.
    })
    if (listing !== '') this.#inherited = parseListing(listing)
    return this.#inherited
  }

  async #apply(applied: Elements): Promise<void> {
    const own = elementsOf(this.#pods.values())
    const next: Elements = {
      everywhere: new Map([...this.#inherited.everywhere, ...own.everywhere]),
      addressed: new Map([...this.#inherited.addressed, ...own.addressed]),
    }
    const text = renderHostPorts(next, this.#options.reserved)
    if (text === renderHostPorts(applied, this.#options.reserved)) return
    await runCommand('nft', ['-f', '-'], text)
    this.#applied = next
    for (const port of changedUdpPorts(applied, next)) await this.#forgetFlows(port)
  }

  async #forgetFlows(port: number): Promise<void> {
    await runCommand('conntrack', ['-D', '-p', 'udp', '--dport', String(port)]).catch((error: unknown) => {
      if (!/0 flow entries/.test(String(error)))
        this.#options.log.warn('UDP flows of a host port were not removed', { port, error: String(error) })
    })
  }

  /** The kernel lets packets with loopback addresses leave only through interfaces that allow it: here, the pod's. */
  async #routeLoopback(podIp: string): Promise<void> {
    const [route] = JSON.parse(await runCommand('ip', ['-j', 'route', 'get', podIp])) as { readonly dev: string }[]
    if (route && route.dev !== 'lo') await writeFile(`/proc/sys/net/ipv4/conf/${route.dev}/route_localnet`, '1')
  }
}
