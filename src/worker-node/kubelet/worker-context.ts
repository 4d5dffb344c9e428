/** What all pod workers of a kubelet share. */
import type { Clock } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import type { Container, Pod, Secret } from '#api/core/v1.gen.ts'
import type { CgroupManager } from './cgroups/cgroup-manager.ts'
import type { DnsFacts } from './containers/dns.ts'
import type { EnvironmentSources } from './containers/environment.ts'
import type { NodeFacts } from './containers/field-values.ts'
import type { HostPortService } from '../host-port-service.ts'
import type { ImageManager } from './images/image-manager.ts'
import type { ProbeManager } from './probes/probe-manager.ts'
import type { AllocationStore } from './resize/allocation-store.ts'
import type { RuntimeService } from './runtime/runtime-service.ts'
import type { Semaphore } from './semaphore.ts'
import type { StatusManager } from './status-manager.ts'
import type { VolumeManager } from './volumes/volume-manager.ts'

export type PodEvents = {
  /** About a container when one is given. */
  event(
    pod: Pod,
    type: 'Normal' | 'Warning',
    reason: string,
    message: string,
    container?: Pick<Container, 'name'>,
  ): void
}

export type WorkerContext = PodEvents & {
  readonly runtime: RuntimeService
  readonly runtimeName: string
  readonly clock: Clock
  readonly log: Logger
  readonly volumes: VolumeManager
  readonly images: ImageManager
  readonly probes: ProbeManager
  readonly statuses: StatusManager
  readonly cgroups: CgroupManager
  /** What this node has promised to its pods. */
  readonly allocations: Pick<AllocationStore, 'flush'>
  /** What running containers were given. */
  readonly actuated: AllocationStore
  readonly hostPorts?: HostPortService
  readonly startSlots: Semaphore
  readonly execsPerPodMax: number
  readonly userAgent: string
  readonly rootDir: string
  readonly podLogsDir: string
  readonly memoryCapacity: number
  readonly hostIps: readonly string[]
  /** Addresses are those of the pod that asks. */
  facts(podIps: readonly string[]): NodeFacts
  dns(): DnsFacts
  readonly sources: Omit<EnvironmentSources, 'facts'>
  pullSecrets(pod: Pod): Promise<Secret[]>
  /** Why the runtime cannot give pods a network now, or null. */
  networkProblem(): string | null
  /** Ends the API object of a pod that is gone from this node. */
  deletePod(pod: Pod): Promise<void>
  /** The pod's resources are free. */
  onEnded(): void
  /** The pod's containers are gone and its API object may be, too. */
  onFinished(podUid: string): void
}
