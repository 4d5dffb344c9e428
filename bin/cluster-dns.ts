/** The cluster DNS server alone: `cluster-dns --kubeconfig FILE --address IP… [--port 53] [--cluster-domain D] [--resolv-conf FILE]`. */
import { Command } from 'commander'
import { ClusterDns } from '#addons/dns/cluster-dns.ts'
import { parseNameservers } from '#addons/dns/forwarder.ts'
import { createInformerView } from '#addons/dns/informer-view.ts'
import { ENDPOINTSLICES, NAMESPACES, SERVICES } from '#api/resources.gen.ts'
import { connectComponent, runComponent } from '#cluster/component-process.ts'
import { portNumber, readFlagFile } from '#cluster/flags.ts'

type Flags = { kubeconfig?: string; address: string[]; port: string; clusterDomain: string; resolvConf: string }

const NAME = 'cluster-dns'
const flags = new Command(NAME)
  .description('Answers the names of Services and pods, and forwards the others.')
  .option('--kubeconfig <file>', 'how to reach the API server; a pod uses its service account without it')
  .option('--address <address...>', 'where it listens', ['127.0.0.1'])
  .option('--port <number>', 'port for UDP and TCP', '53')
  .option('--cluster-domain <domain>', 'domain of Services and pods', 'cluster.local')
  .option('--resolv-conf <file>', 'name servers that answer what is not of the cluster', '/etc/resolv.conf')
  .parse()
  .opts<Flags>()

await runComponent(NAME, async (signal) => {
  const port = portNumber('port', flags.port)
  const { informers, clock, random, log } = await connectComponent(NAME, flags.kubeconfig)
  const view = createInformerView({
    services: informers.informer(SERVICES),
    slices: informers.informer(ENDPOINTSLICES),
    namespaces: informers.informer(NAMESPACES),
  })
  informers.start(signal)
  await informers.synced()
  const server = new ClusterDns({
    view,
    domain: flags.clusterDomain,
    nameservers: parseNameservers(await readFlagFile('resolv-conf', flags.resolvConf)),
    addresses: flags.address,
    port,
    clock,
    random,
    log,
  })
  await server.listen()
  await server.run(signal)
})
