/** The service proxy of one node alone: `kube-proxy --kubeconfig FILE --hostname-override NODE --cluster-cidr RANGE [--cleanup]`. */
import { parseArgs } from 'node:util'
import { ENDPOINTSLICES, NODES, SERVICES } from '#api/resources.gen.ts'
import { connectComponent } from '#cluster/component-process.ts'
import { addressRange } from '#cluster/nodes/address-range.ts'
import { untilSignal } from '#base/until-signal.ts'
import { ServiceProxy } from '#worker-node/proxy/proxy.ts'

const { values } = parseArgs({
  options: {
    kubeconfig: { type: 'string' },
    'hostname-override': { type: 'string' },
    'cluster-cidr': { type: 'string' },
    cleanup: { type: 'boolean', default: false },
  },
})
const nodeName = values['hostname-override']
const podNetwork = values['cluster-cidr']
if (nodeName === undefined || podNetwork === undefined)
  throw new Error('--hostname-override and --cluster-cidr are required')
const signal = untilSignal()
const { informers, clock, log } = await connectComponent('kube-proxy', values.kubeconfig)
const nodes = informers.informer(NODES)
const proxy = new ServiceProxy({
  services: informers.informer(SERVICES),
  slices: informers.informer(ENDPOINTSLICES),
  nodeName,
  zone: () => nodes.get(nodeName)?.metadata.labels?.['topology.kubernetes.io/zone'] ?? '',
  podNetwork,
  isLocalPod: (ip) => addressRange(nodes.get(nodeName)?.spec.podCIDR ?? '').includes(ip),
  clock,
  log,
})
if (values.cleanup) await proxy.remove()
else {
  proxy.watch(signal)
  informers.start(signal)
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
process.exit(0)
