/** The service proxy of one node alone: `kube-proxy --kubeconfig FILE --hostname-override NODE --cluster-cidr RANGE`. */
import { hostname } from 'node:os'
import { Command } from 'commander'
import { untilAborted } from '#base/until-signal.ts'
import { ENDPOINTSLICES, NODES, SERVICES } from '#api/resources.gen.ts'
import { connectComponent, runComponent } from '#cluster/component-process.ts'
import { FlagError } from '#cluster/flags.ts'
import { addressRange } from '#cluster/nodes/address-range.ts'
import { removeServiceRules, ServiceProxy } from '#worker-node/proxy/proxy.ts'

type Flags = { kubeconfig?: string; hostnameOverride: string; clusterCidr?: string; cleanup: boolean }
type Running = Flags & { readonly clusterCidr: string }

const NAME = 'kube-proxy'
const command = new Command(NAME)
  .description('Leads the traffic of Services to their endpoints on one node, by nftables rules.')
  .option('--kubeconfig <file>', 'how to reach the API server; a pod uses its service account without it')
  .option('--hostname-override <name>', 'name of the node', hostname())
  .option('--cluster-cidr <range>', 'addresses of all pods of the cluster')
  .option('--cleanup', 'remove the rules of this node, and end', false)
  .parse()

await runComponent(NAME, async (signal) => {
  const flags = command.opts<Flags>()
  if (flags.cleanup) return removeServiceRules()
  const { clusterCidr } = flags
  if (clusterCidr === undefined) throw new FlagError('--cluster-cidr is missing')
  await serve({ ...flags, clusterCidr }, signal)
})

async function serve(flags: Running, signal: AbortSignal): Promise<void> {
  const { informers, clock, log } = await connectComponent(NAME, flags.kubeconfig)
  const nodes = informers.informer(NODES)
  const node = () => nodes.get(flags.hostnameOverride)
  const proxy = new ServiceProxy({
    services: informers.informer(SERVICES),
    slices: informers.informer(ENDPOINTSLICES),
    nodeName: flags.hostnameOverride,
    zone: () => node()?.metadata.labels?.['topology.kubernetes.io/zone'] ?? '',
    podNetwork: flags.clusterCidr,
    isLocalPod: (ip) => addressRange(node()?.spec.podCIDR ?? '').includes(ip),
    clock,
    log,
  })
  proxy.watch(signal)
  informers.start(signal)
  await untilAborted(signal)
}
