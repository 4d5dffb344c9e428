/** Keeps this machine's routes to the pods of each node, so that the API server can reach pods (proxy, webhooks). */
import type { Clock } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import type { RandomSource } from '#base/random.ts'
import { NODES } from '#api/resources.gen.ts'
import type { Node } from '#api/core/v1.gen.ts'
import type { Client } from '#client/client.ts'
import { SharedInformerFactory } from '#client/informer-factory.ts'
import { internalIp } from '#worker-node/network/plan-routes.ts'
import { routeToPods } from './host-network.ts'

export type HostRoutesOptions = { readonly clock: Clock; readonly random: RandomSource; readonly log: Logger }

/** Routes go with the bridge when the cluster goes down. */
export function followPodRoutes(client: Client, options: HostRoutesOptions, signal: AbortSignal): void {
  const informers = new SharedInformerFactory({ client, ...options })
  const known = new Map<string, string>()
  const follow = (node: Node): void => {
    const [cidr, address] = [node.spec.podCIDR, internalIp(node)]
    if (cidr === undefined || address === null || known.get(cidr) === address) return
    known.set(cidr, address)
    routeToPods(cidr, address).catch((error: unknown) => {
      known.delete(cidr) // The next change of the node tries again.
      options.log.error('no route to the pods of a node', { node: node.metadata.name, error: String(error) })
    })
  }
  informers.informer(NODES).addHandler({ added: follow, updated: follow })
  informers.start(signal)
}
