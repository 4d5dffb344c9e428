/** The cluster DNS server alone: `cluster-dns --kubeconfig FILE --address IP [--port 53] [--cluster-domain D] [--resolv-conf FILE]`. */
import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { Forwarder, parseNameservers } from '#addons/dns/forwarder.ts'
import { createInformerView } from '#addons/dns/informer-view.ts'
import { Resolver } from '#addons/dns/resolver.ts'
import { DnsServer } from '#addons/dns/server.ts'
import { ENDPOINTSLICES, NAMESPACES, SERVICES } from '#api/resources.gen.ts'
import { connectComponent } from '#cluster/component-process.ts'
import { untilSignal } from '#base/until-signal.ts'

const { values } = parseArgs({
  options: {
    kubeconfig: { type: 'string' },
    address: { type: 'string', default: '127.0.0.1' },
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
const forwarder = new Forwarder({
  nameservers: parseNameservers(await readFile(values['resolv-conf'], 'utf8')),
  clock,
  random,
})
const server = new DnsServer(new Resolver({ domain: values['cluster-domain'], view, forwarder, clock, random }), log)
informers.start(signal)
await informers.synced()
await server.listen(values.address, Number(values.port))
await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
await server.close()
process.exit(0)
