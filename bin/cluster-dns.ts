/** The cluster DNS server alone: `cluster-dns --kubeconfig FILE --address IP… [--port 53] [--cluster-domain D] [--resolv-conf FILE]`. */
import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { ClusterDns } from '#addons/dns/cluster-dns.ts'
import { parseNameservers } from '#addons/dns/forwarder.ts'
import { createInformerView } from '#addons/dns/informer-view.ts'
import { ENDPOINTSLICES, NAMESPACES, SERVICES } from '#api/resources.gen.ts'
import { connectComponent } from '#cluster/component-process.ts'
import { untilSignal } from '#base/until-signal.ts'

const { values } = parseArgs({
  options: {
    kubeconfig: { type: 'string' },
    address: { type: 'string', multiple: true, default: ['127.0.0.1'] },
    port: { type: 'string', default: '53' },
    'cluster-domain': { type: 'string', default: 'cluster.local' },
    'resolv-conf': { type: 'string', default: '/etc/resolv.conf' },
  },
})
const signal = untilSignal()
const { informers, clock, random, log } = await connectComponent('cluster-dns', values.kubeconfig)
const view = createInformerView({
  services: informers.informer(SERVICES),
  slices: informers.informer(ENDPOINTSLICES),
  namespaces: informers.informer(NAMESPACES),
})
informers.start(signal)
await informers.synced()
const server = new ClusterDns({
  view,
  domain: values['cluster-domain'],
  nameservers: parseNameservers(await readFile(values['resolv-conf'], 'utf8')),
  addresses: values.address,
  port: Number(values.port),
  clock,
  random,
  log,
})
await server.listen()
await server.run(signal)
process.exit(0)
