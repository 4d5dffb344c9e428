/** One node's process: kubelet, pod network, service proxy and cluster DNS over one connection to the API server. */
import { untilAborted } from '#base/until-signal.ts'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { SystemClock, type Clock } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import { createLogger } from '#base/pino-log.ts'
import { SystemRandom, type RandomSource } from '#base/random.ts'
import { runCommand } from '#base/run-command.ts'
import { createInformerView } from '#addons/dns/informer-view.ts'
import { ENDPOINTSLICES, NAMESPACES, NODES, SERVICES } from '#api/resources.gen.ts'
import type { Client } from '#client/client.ts'
import { HttpTransport } from '#client/http-transport.ts'
import { SharedInformerFactory } from '#client/informer-factory.ts'
import type { InformerFactory } from '#client/informer.ts'
import { loadKubeconfig } from '#client/kubeconfig.ts'
import { RestClient } from '#client/rest-client.ts'
import { ApiEventRecorder } from '#client/api-event-recorder.ts'
import { selectCgroupManager } from '#worker-node/kubelet/cgroups/select-cgroup-manager.ts'
import type { HostedPod } from '#worker-node/kubelet/hosted-pods/hosted-pod.ts'
import { KUBELET_VERSION, createKubelet } from '#worker-node/kubelet/kubelet.ts'
import type { Kubelet } from '#worker-node/kubelet/kubelet-options.ts'
import { CriRuntime } from '#worker-node/kubelet/runtime/cri/cri-runtime.ts'
import { LinuxMounter } from '#worker-node/kubelet/volumes/linux-mounter.ts'
import { HostPorts } from '#worker-node/network/host-ports/host-ports.ts'
import { PodNetwork } from '#worker-node/network/pod-network.ts'
import { ServiceProxy } from '#worker-node/proxy/proxy.ts'
import { addressRange } from './address-range.ts'
import { DNS_PORT, makeDnsPod } from './dns-pod.ts'
import type { NodeAgentConfig } from './node-agent-config.ts'

const KUBELET_PORT = 10_250
/** Of a veth pair on an ordinary network. */
const POD_MTU = 1500
const ZONE_LABEL = 'topology.kubernetes.io/zone'

type Parts = {
  readonly clock: Clock
  readonly random: RandomSource
  readonly log: Logger
  readonly client: Client
  readonly informers: InformerFactory
}

/** Runs until `signal` aborts; containers keep running then, and the next start adopts them. */
export async function runNodeAgent(configPath: string, signal: AbortSignal): Promise<void> {
  const config = JSON.parse(await readFile(configPath, 'utf8')) as NodeAgentConfig
  const [clock, random, log] = [new SystemClock(), new SystemRandom(), createLogger('node-agent')]
  const transport = new HttpTransport({
    config: await loadKubeconfig(config.kubeconfig),
    clock,
    userAgent: `kubelet/${KUBELET_VERSION}`,
  })
  const client = new RestClient(transport)
  const informers = new SharedInformerFactory({ client, clock, random, log })
  const parts: Parts = { clock, random, log, client, informers }
  startPodNetwork(config, parts, signal)
  startProxy(config, parts, signal)
  const dns = prepareDns(config, parts)
  informers.start(signal)
  const kubelet = await buildKubelet(config, parts, dns)
  await kubelet.start()
  log.info('node agent started', { node: config.nodeName, port: kubelet.port })
  await untilAborted(signal)
  await kubelet.stop()
  await transport.close()
}

function startPodNetwork(config: NodeAgentConfig, { informers, clock, log }: Parts, signal: AbortSignal): void {
  const network = new PodNetwork({
    nodes: informers.informer(NODES),
    nodeName: config.nodeName,
    nodeIp: config.nodeIp,
    podNetwork: config.podNetwork,
    cniConfigDir: config.cniConfigDir,
    ipamDir: join(config.folder, 'ipam'),
    mtu: POD_MTU,
    clock,
    log: log.child({ part: 'network' }),
  })
  network.watch(signal)
}

function startProxy(config: NodeAgentConfig, { informers, clock, log }: Parts, signal: AbortSignal): void {
  const nodes = informers.informer(NODES)
  const ownRange = (): string | undefined => nodes.get(config.nodeName)?.spec.podCIDR
  const proxy = new ServiceProxy({
    services: informers.informer(SERVICES),
    slices: informers.informer(ENDPOINTSLICES),
    nodeName: config.nodeName,
    zone: () => nodes.get(config.nodeName)?.metadata.labels?.[ZONE_LABEL] ?? '',
    podNetwork: config.podNetwork,
    isLocalPod: (ip) => addressRange(ownRange() ?? '').includes(ip),
    clock,
    log: log.child({ part: 'proxy' }),
  })
  proxy.watch(signal)
}

/** Defines indexes of informers, so it comes before their start. */
function prepareDns(config: NodeAgentConfig, { informers, clock, random }: Parts): HostedPod {
  const view = createInformerView({
    services: informers.informer(SERVICES),
    slices: informers.informer(ENDPOINTSLICES),
    namespaces: informers.informer(NAMESPACES),
  })
  return makeDnsPod({
    ...config,
    port: DNS_PORT,
    view,
    synced: () => informers.synced(),
    addLocalAddress: async (address) =>
      void (await runCommand('ip', ['addr', 'replace', `${address}/32`, 'dev', 'lo'])),
    clock,
    random,
  })
}

async function buildKubelet(
  config: NodeAgentConfig,
  { clock, random, log, client }: Parts,
  dns: HostedPod,
): Promise<Kubelet> {
  const read = (path: string): Promise<string> => readFile(path, 'utf8')
  const [certificate, privateKey, clientCa] = await Promise.all(
    [config.certificate, config.privateKey, config.clientCa].map(read),
  )
  const staticPodDir = join(config.folder, 'manifests')
  await mkdir(staticPodDir, { recursive: true })
  const kubeletLog = log.child({ part: 'kubelet' })
  return createKubelet({
    client,
    nodeName: config.nodeName,
    runtime: new CriRuntime(config.runtimeEndpoint),
    rootDir: join(config.folder, 'kubelet'),
    podLogsDir: join(config.folder, 'pod-logs'),
    clock,
    random,
    log: kubeletLog,
    events: new ApiEventRecorder({
      client,
      clock,
      random,
      log: kubeletLog,
      component: 'kubelet',
      host: config.nodeName,
    }),
    addresses: [
      { type: 'InternalIP', address: config.nodeIp },
      { type: 'Hostname', address: config.nodeName },
    ],
    clusterDns: [config.clusterDns],
    clusterDomain: config.clusterDomain,
    resolvConf: config.resolvConf,
    cgroups: await selectCgroupManager(),
    mounter: new LinuxMounter(),
    hostPorts: new HostPorts({ reserved: [config.clusterDns], log: log.child({ part: 'network' }) }),
    server: {
      address: config.nodeIp,
      port: KUBELET_PORT,
      certificate: certificate!,
      privateKey: privateKey!,
      clientCa: clientCa!,
    },
    staticPodDir,
    hostedPods: [dns],
  })
}
