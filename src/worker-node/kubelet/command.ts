/** The kubelet as a process of its own: a kubeconfig, a runtime socket, and the kernel of this machine. */
import { readFile } from 'node:fs/promises'
import { SystemClock } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import { SystemRandom } from '#base/random.ts'
import { untilAborted } from '#base/until-signal.ts'
import { ApiEventRecorder } from '#client/api-event-recorder.ts'
import { HttpTransport } from '#client/http-transport.ts'
import { loadKubeconfig } from '#client/kubeconfig.ts'
import { RestClient } from '#client/rest-client.ts'
import { HostPorts } from '../network/host-ports/host-ports.ts'
import { selectCgroupManager } from './cgroups/select-cgroup-manager.ts'
import type { KubeletFlags } from './command-flags.ts'
import { createKubelet } from './kubelet.ts'
import type { KubeletOptions, KubeletServerOptions } from './kubelet-options.ts'
import { CriRuntime } from './runtime/cri/cri-runtime.ts'
import { LinuxMounter } from './volumes/linux-mounter.ts'

/** For the last events, of an orderly end. */
const FLUSH_MS = 1000

/** Runs until `signal` aborts, then ends in order; containers go on. An API server or a runtime that does not answer is waited for. */
export async function runKubelet(flags: KubeletFlags, log: Logger, signal: AbortSignal): Promise<void> {
  const options = await readOptions(flags, log)
  const kubelet = createKubelet(options)
  const stopped = untilAborted(signal)
  const started = kubelet.start().catch((error: unknown) => {
    if (!signal.aborted) throw error
  })
  await Promise.race([stopped, started.then(() => stopped)])
  await kubelet.stop()
  // What an API server that is gone does not take is lost.
  await Promise.race([options.events.flush(), options.clock.sleep(FLUSH_MS)])
}

async function readOptions(
  flags: KubeletFlags,
  log: Logger,
): Promise<KubeletOptions & { readonly events: ApiEventRecorder }> {
  const [clock, random] = [new SystemClock(), new SystemRandom()]
  const config = await loadKubeconfig(flags.kubeconfig)
  const client = new RestClient(new HttpTransport({ config, clock, userAgent: 'kubelet' }))
  const { hostnameOverride: nodeName, providerId, podManifestPath, nodeIp } = flags
  const server = await readServerOptions(flags)
  return {
    client,
    clock,
    random,
    log,
    nodeName,
    addresses: [
      { type: 'InternalIP', address: nodeIp },
      { type: 'Hostname', address: nodeName },
    ],
    runtime: new CriRuntime(flags.containerRuntimeEndpoint),
    rootDir: flags.rootDir,
    podLogsDir: flags.podLogsDir,
    events: new ApiEventRecorder({ client, clock, random, log, component: 'kubelet', host: nodeName }),
    clusterDns: flags.clusterDns,
    clusterDomain: flags.clusterDomain,
    resolvConf: flags.resolvConf,
    cgroups: await selectCgroupManager(),
    mounter: new LinuxMounter(),
    hostPorts: new HostPorts({ reserved: [], log }),
    maxPods: flags.maxPods,
    nodeLabels: flags.nodeLabels,
    registerWithTaints: flags.registerWithTaints,
    ...(providerId !== undefined && { providerId }),
    ...(podManifestPath !== undefined && { staticPodDir: podManifestPath }),
    ...(server && { server }),
  }
}

async function readServerOptions(flags: KubeletFlags): Promise<KubeletServerOptions | null> {
  const { tlsCertFile, tlsPrivateKeyFile, clientCaFile, address, port } = flags
  if (tlsCertFile === undefined || tlsPrivateKeyFile === undefined) return null
  const [certificate, privateKey, clientCa] = await Promise.all([
    readFile(tlsCertFile, 'utf8'),
    readFile(tlsPrivateKeyFile, 'utf8'),
    clientCaFile === undefined ? '' : readFile(clientCaFile, 'utf8'),
  ])
  return { address, port, certificate, privateKey, clientCa }
}
