/** Connects this node's pods with those of all other nodes, and with the outside: CNI configuration, routes, masquerading. */
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import { runCommand } from '#base/run-command.ts'
import type { Node } from '#api/core/v1.gen.ts'
import type { Informer } from '#client/informer.ts'
import { renderCniConfig } from './cni-config.ts'
import { diffRoutes, planRoutes, renderRouteBatch, type Route } from './plan-routes.ts'

export type PodNetworkOptions = {
  readonly nodes: Informer<Node>
  readonly nodeName: string
  readonly nodeIp: string
  /** All pods of the cluster: traffic to them is never masqueraded. */
  readonly podNetwork: string
  readonly cniConfigDir: string
  readonly ipamDir: string
  readonly mtu: number
  readonly clock: Clock
  readonly log: Logger
}

/** Wait after a failed change (a program of the system refused) before it is tried again. */
const RETRY_MS = 1000

const TABLE = 'kubets_pods'

export class PodNetwork {
  readonly #options: PodNetworkOptions
  #routes: readonly Route[] = []
  #podCidr: string | null = null
  /** One change runs at a time; a wake-up meanwhile leads to one more round. */
  #running = false
  #dirty = false

  constructor(options: PodNetworkOptions) {
    this.#options = options
  }

  /** Registers with the informer; its start belongs to the caller. */
  watch(signal: AbortSignal): void {
    const wake = (): void => void this.#sync(signal)
    this.#options.nodes.addHandler({
      added: wake,
      updated: (node, old) => this.#isOfInterest(node, old) && wake(),
      deleted: wake,
    })
  }

  /** Heartbeats change a node's status every few minutes; only ranges and addresses matter here. */
  #isOfInterest(node: Node, old: Node): boolean {
    return (
      node.spec.podCIDR !== old.spec.podCIDR ||
      JSON.stringify(node.status?.addresses) !== JSON.stringify(old.status?.addresses)
    )
  }

  async #sync(signal: AbortSignal): Promise<void> {
    this.#dirty = true
    if (this.#running) return
    this.#running = true
    try {
      while (this.#dirty && !signal.aborted) {
        this.#dirty = false
        await this.#apply().catch(async (error: unknown) => {
          this.#options.log.error('pod network could not be changed', { error: String(error) })
          this.#dirty = true
          await this.#options.clock.sleep(RETRY_MS, signal).catch(() => {}) // Aborted: the loop ends by itself.
        })
      }
    } finally {
      this.#running = false
    }
  }

  async #apply(): Promise<void> {
    const { nodes, nodeName, log } = this.#options
    const podCidr = nodes.get(nodeName)?.spec.podCIDR
    if (podCidr !== undefined && podCidr !== this.#podCidr) {
      await runCommand(
        'nft',
        ['-f', '-'],
        renderMasquerade(podCidr, this.#options.podNetwork, nodeNetwork(this.#options.nodeIp)),
      )
      await this.#writeCniConfig(podCidr)
      this.#podCidr = podCidr
      log.info('pod network ready', { podCidr })
    }
    const wanted = planRoutes(nodes.list(), nodeName)
    const change = diffRoutes(this.#routes, wanted)
    if (change.replace.length + change.remove.length === 0) return
    await runCommand('ip', ['-force', '-batch', '-'], renderRouteBatch(change))
    this.#routes = wanted
  }

  /** containerd watches the folder: the file appears whole. */
  async #writeCniConfig(podCidr: string): Promise<void> {
    const { cniConfigDir, ipamDir, mtu } = this.#options
    await mkdir(cniConfigDir, { recursive: true })
    const temporary = join(cniConfigDir, '.10-kubets.conflist.tmp')
    await writeFile(temporary, renderCniConfig({ podCidr, ipamDir, mtu }))
    await rename(temporary, join(cniConfigDir, '10-kubets.conflist'))
  }
}

/** The /24 that holds the nodes: pods talk to nodes under their own address. */
function nodeNetwork(nodeIp: string): string {
  return `${nodeIp.split('.').slice(0, 3).join('.')}.0/24`
}

/** Pods reach the outside under their node's address; pods and nodes see each other's own. */
export function renderMasquerade(podCidr: string, podNetwork: string, nodes: string): string {
  return `table ip ${TABLE}
delete table ip ${TABLE}
table ip ${TABLE} {
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr ${podCidr} ip daddr != { ${podNetwork}, ${nodes} } masquerade
  }
}
`
}
