/** What a kubelet needs from whoever starts it: its client, its runtime, its node's facts and folders. */
import type { Clock } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import type { RandomSource } from '#base/random.ts'
import type { NodeAddress, Pod, Taint } from '#api/core/v1.gen.ts'
import type { Client } from '#client/client.ts'
import type { EventRecorder } from '#client/event-recorder.ts'
import type { HostedPod } from './hosted-pods/hosted-pod.ts'
import type { HostPortService } from '../host-port-service.ts'
import type { RuntimeService } from './runtime/runtime-service.ts'
import type { CgroupManager } from './cgroups/cgroup-manager.ts'
import type { Mounter } from './volumes/mounter.ts'

export type KubeletServerOptions = {
  /** Where the HTTPS server listens; port 0 takes a free one (tests). */
  readonly address: string
  readonly port: number
  /** PEM texts. */
  readonly certificate: string
  readonly privateKey: string
  /** PEM text of the authority whose client certificates are accepted. */
  readonly clientCa: string
}

export type KubeletOptions = {
  readonly client: Client
  readonly nodeName: string
  readonly runtime: RuntimeService
  /** `/var/lib/kubelet`: pod volumes, checkpoints. */
  readonly rootDir: string
  /** `/var/log/pods`: container logs. */
  readonly podLogsDir: string
  readonly clock: Clock
  readonly random: RandomSource
  readonly log: Logger
  readonly events: EventRecorder
  readonly addresses: readonly NodeAddress[]
  readonly clusterDns: readonly string[]
  readonly clusterDomain: string
  /** File whose nameservers pods with dnsPolicy Default get; empty for none. */
  readonly resolvConf: string
  readonly cgroups: CgroupManager
  readonly mounter: Mounter
  /** Absent: host ports are left to the CNI configuration. */
  readonly hostPorts?: HostPortService
  /** Absent: no HTTPS server (simulation, unit tests). */
  readonly server?: KubeletServerOptions
  /** Folder with manifests of static pods. */
  readonly staticPodDir?: string
  /** Static pods whose containers this process itself is. */
  readonly hostedPods?: readonly HostedPod[]
  readonly nodeLabels?: Readonly<Record<string, string>>
  readonly registerWithTaints?: readonly Taint[]
  readonly providerId?: string
  readonly podCidr?: string
  readonly maxPods?: number
  /** Upstream's version string that the node reports, such as `v1.37.2`. */
  readonly version?: string
  readonly limits?: Partial<KubeletLimits>
}

export type KubeletLimits = {
  /** Pod starts in flight; more than about two per core only adds latency (measured: starting pods is CPU-bound). */
  readonly podStartsMax: number
  readonly imagePullsMax: number
  /** Container execs in flight per pod: past 16 in one shim each takes 20 times as long (measured). */
  readonly execsPerPodMax: number
  readonly containerLogBytesMax: number
  readonly containerLogFilesMax: number
  readonly imageGcHighPercent: number
  readonly imageGcLowPercent: number
  readonly evictionMemoryAvailableBytes: number
  readonly evictionNodeFsAvailablePercent: number
}

export interface Kubelet {
  /** Registers the node, adopts what runs and begins to serve; resolves when the first pods are known. */
  start(): Promise<void>
  /** Leaves containers running: the next start adopts them. */
  stop(): Promise<void>
  /** The pods this kubelet works on, static ones included, with their newest status. */
  pods(): Pod[]
  /** The port of the HTTPS server, or null. */
  readonly port: number | null
}
