/** The cluster DNS of one node as a pod of kube-system, hosted by the node agent: its manifest, and what its container does. */
import { untilAborted } from '#base/until-signal.ts'
import { readFile } from 'node:fs/promises'
import type { Clock } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import type { RandomSource } from '#base/random.ts'
import { ClusterDns } from '#addons/dns/cluster-dns.ts'
import { parseNameservers } from '#addons/dns/forwarder.ts'
import type { ClusterView } from '#addons/dns/records.ts'
import type { Pod, Probe } from '#api/core/v1.gen.ts'
import type { Draft } from '#machinery/meta/template.ts'
import { KUBELET_VERSION } from '#worker-node/kubelet/kubelet.ts'
import type { HostedPod, HostedProgram } from '#worker-node/kubelet/hosted-pods/hosted-pod.ts'
import type { NodeAgentConfig } from './node-agent-config.ts'

export type DnsPodOptions = Pick<NodeAgentConfig, 'nodeIp' | 'clusterDns' | 'clusterDomain' | 'resolvConf'> & {
  /** 53, but in tests. */
  readonly port: number
  readonly view: ClusterView
  /** Resolves when the view has the whole cluster: before that, every answer would be a guess. */
  synced(): Promise<void>
  /** Makes an address this node's own. */
  addLocalAddress(address: string): Promise<void>
  readonly clock: Clock
  readonly random: RandomSource
}

const CONTAINER = 'coredns'
export const DNS_PORT = 53

export function makeDnsPod(options: DnsPodOptions): HostedPod {
  const text = JSON.stringify(dnsPodManifest(options))
  return { manifest: { file: CONTAINER, text }, programs: { [CONTAINER]: new DnsProgram(options) } }
}

/** What clients and the Service select by is upstream's: names, labels, ports, priority. */
export function dnsPodManifest({
  nodeIp,
  clusterDns,
  clusterDomain,
}: Pick<DnsPodOptions, 'nodeIp' | 'clusterDns' | 'clusterDomain'>): Draft<Pod> {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'coredns', namespace: 'kube-system', labels: { 'k8s-app': 'kube-dns' } },
    spec: {
      hostNetwork: true,
      dnsPolicy: 'Default',
      priorityClassName: 'system-node-critical',
      tolerations: [{ operator: 'Exists' }],
      containers: [
        {
          name: CONTAINER,
          image: `kubets.internal/cluster-dns:${KUBELET_VERSION}`,
          imagePullPolicy: 'Never',
          args: [`--cluster-domain=${clusterDomain}`, `--address=${clusterDns}`, `--address=${nodeIp}`],
          ports: [
            { name: 'dns', containerPort: DNS_PORT, protocol: 'UDP' },
            { name: 'dns-tcp', containerPort: DNS_PORT, protocol: 'TCP' },
          ],
          // What the server takes beside the rest of the agent; it shares the agent's memory, so there is no limit to set.
          resources: { requests: { cpu: '10m', memory: '16Mi' } },
          startupProbe: selfQuery({ periodSeconds: 1, failureThreshold: 120 }),
          readinessProbe: selfQuery({ periodSeconds: 5, failureThreshold: 2 }),
          livenessProbe: selfQuery({ periodSeconds: 10, failureThreshold: 5 }),
          terminationMessagePolicy: 'FallbackToLogsOnError',
        },
      ],
    },
  }
}

function selfQuery(period: { readonly periodSeconds: number; readonly failureThreshold: number }): Probe {
  return { exec: { command: ['query-itself'] }, timeoutSeconds: 3, ...period }
}

/** One server at a time, on the cluster DNS address and on that of the node. */
class DnsProgram implements HostedProgram {
  readonly #options: DnsPodOptions
  #server = Promise.withResolvers<ClusterDns>()
  constructor(options: DnsPodOptions) {
    this.#options = options
  }

  async run(log: Logger, signal: AbortSignal): Promise<void> {
    const { view, synced, addLocalAddress, nodeIp, clusterDns, clusterDomain, resolvConf } = this.#options
    const { port, clock, random } = this.#options
    log.info('waiting for the Services, EndpointSlices and Namespaces of the cluster')
    await Promise.race([synced(), untilAborted(signal)])
    if (signal.aborted) return
    await addLocalAddress(clusterDns)
    const server = new ClusterDns({
      view,
      domain: clusterDomain,
      nameservers: parseNameservers(await readFile(resolvConf, 'utf8')),
      addresses: [clusterDns, nodeIp],
      port,
      clock,
      random,
      log,
    })
    await server.listen()
    this.#server.resolve(server)
    try {
      await server.run(signal)
    } finally {
      this.#server = Promise.withResolvers()
    }
  }

  /**
   * Waits for a server that is about to listen, as long as the probe's own timeout allows. The node's own address is asked: the
   * cluster's may lead to another node while this one is not ready.
   */
  async probe(): Promise<string> {
    return await (await this.#server.promise).queryItself(this.#options.nodeIp)
  }
}
