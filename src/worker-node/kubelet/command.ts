/** The kubelet as a process of its own: upstream's flags, a kubeconfig, a runtime socket. */
import { readFile } from 'node:fs/promises'
import os from 'node:os'
import { Command } from 'commander'
import { SystemClock } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import { SystemRandom } from '#base/random.ts'
import type { NodeAddress, Taint } from '#api/core/v1.gen.ts'
import { HttpTransport } from '#client/http-transport.ts'
import { loadKubeconfig } from '#client/kubeconfig.ts'
import { RestClient } from '#client/rest-client.ts'
import { ApiEventRecorder } from '#client/api-event-recorder.ts'
import { selectCgroupManager } from './cgroups/select-cgroup-manager.ts'
import { createKubelet } from './kubelet.ts'
import type { Kubelet, KubeletServerOptions } from './kubelet-options.ts'
import { CriRuntime } from './runtime/cri/cri-runtime.ts'
import { LinuxMounter } from './volumes/linux-mounter.ts'

type Flags = {
  readonly kubeconfig: string
  readonly hostnameOverride: string
  readonly nodeIp: string
  readonly rootDir: string
  readonly podLogsDir: string
  readonly containerRuntimeEndpoint: string
  readonly clusterDns: string
  readonly clusterDomain: string
  readonly resolvConf: string
  readonly podManifestPath?: string
  readonly nodeLabels: string
  readonly registerWithTaints: string
  readonly providerId?: string
  readonly maxPods: string
  readonly address: string
  readonly port: string
  readonly tlsCertFile?: string
  readonly tlsPrivateKeyFile?: string
  readonly clientCaFile?: string
}

export function kubeletCommand(): Command {
  return new Command('kubelet')
    .description('Runs the pods of one node.')
    .requiredOption('--kubeconfig <file>', 'how to reach the API server')
    .option('--hostname-override <name>', 'name of the node', os.hostname())
    .requiredOption('--node-ip <address>', 'address of the node')
    .option('--root-dir <folder>', 'pod volumes and other data', '/var/lib/kubelet')
    .option('--pod-logs-dir <folder>', 'logs of containers', '/var/log/pods')
    .option('--container-runtime-endpoint <socket>', 'CRI socket', 'unix:///run/containerd/containerd.sock')
    .option('--cluster-dns <addresses>', 'addresses of the cluster DNS, separated by commas', '')
    .option('--cluster-domain <domain>', 'domain of services and pods', 'cluster.local')
    .option('--resolv-conf <file>', 'for pods with dnsPolicy Default', '/etc/resolv.conf')
    .option('--pod-manifest-path <folder>', 'manifests of static pods')
    .option('--node-labels <labels>', 'key=value, separated by commas', '')
    .option('--register-with-taints <taints>', 'key=value:effect, separated by commas', '')
    .option('--provider-id <id>', 'name of the machine at its cloud')
    .option('--max-pods <number>', 'most pods of this node', '110')
    .option('--address <address>', 'where the HTTPS server listens', '0.0.0.0')
    .option('--port <number>', 'port of the HTTPS server', '10250')
    .option('--tls-cert-file <file>', 'certificate of the HTTPS server; without it there is no server')
    .option('--tls-private-key-file <file>', 'key of the HTTPS server')
    .option('--client-ca-file <file>', 'authority of client certificates')
}

/** Starts it and returns; the caller keeps the process alive and stops it. */
export async function startKubelet(flags: Flags, log: Logger): Promise<Kubelet> {
  const [clock, random] = [new SystemClock(), new SystemRandom()]
  const config = await loadKubeconfig(flags.kubeconfig)
  const client = new RestClient(new HttpTransport({ config, clock, userAgent: 'kubelet' }))
  const nodeName = flags.hostnameOverride.toLowerCase()
  const server = await readServerOptions(flags)
  const addresses: NodeAddress[] = [
    { type: 'InternalIP', address: flags.nodeIp },
    { type: 'Hostname', address: nodeName },
  ]
  const kubelet = createKubelet({
    client,
    clock,
    random,
    log,
    nodeName,
    addresses,
    runtime: new CriRuntime(flags.containerRuntimeEndpoint),
    rootDir: flags.rootDir,
    podLogsDir: flags.podLogsDir,
    events: new ApiEventRecorder({ client, clock, random, log, component: 'kubelet', host: nodeName }),
    clusterDns: splitList(flags.clusterDns),
    clusterDomain: flags.clusterDomain,
    resolvConf: flags.resolvConf,
    cgroups: await selectCgroupManager(),
    mounter: new LinuxMounter(),
    maxPods: Number(flags.maxPods),
    nodeLabels: Object.fromEntries(splitList(flags.nodeLabels).map((pair) => splitOnce(pair, '='))),
    registerWithTaints: splitList(flags.registerWithTaints).map(parseTaint),
    ...(flags.providerId !== undefined && { providerId: flags.providerId }),
    ...(flags.podManifestPath !== undefined && { staticPodDir: flags.podManifestPath }),
    ...(server && { server }),
  })
  await kubelet.start()
  return kubelet
}

async function readServerOptions(flags: Flags): Promise<KubeletServerOptions | null> {
  if (flags.tlsCertFile === undefined || flags.tlsPrivateKeyFile === undefined) return null
  const [certificate, privateKey, clientCa] = await Promise.all([
    readFile(flags.tlsCertFile, 'utf8'),
    readFile(flags.tlsPrivateKeyFile, 'utf8'),
    flags.clientCaFile === undefined ? '' : readFile(flags.clientCaFile, 'utf8'),
  ])
  return { address: flags.address, port: Number(flags.port), certificate, privateKey, clientCa }
}

const splitList = (text: string): string[] => text.split(',').filter((part) => part !== '')

function splitOnce(text: string, separator: string): [string, string] {
  const index = text.indexOf(separator)
  return index < 0 ? [text, ''] : [text.slice(0, index), text.slice(index + 1)]
}

/** `key=value:effect` or `key:effect`. */
export function parseTaint(text: string): Taint {
  const colon = text.lastIndexOf(':')
  const [key, value] = splitOnce(text.slice(0, colon), '=')
  return { key, effect: text.slice(colon + 1), ...(value !== '' && { value }) }
}
