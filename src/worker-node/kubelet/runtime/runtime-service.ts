/** What the kubelet asks of a container runtime: CRI v1 with the kubelet's own view of the answers. */
import type { ResourceRequirements } from '#api/core/v1.gen.ts'
import type { MessageInitShape } from '@bufbuild/protobuf'
import type {
  AuthConfigSchema,
  ContainerConfigSchema,
  LinuxContainerResourcesSchema,
  PodSandboxConfigSchema,
} from './proto/cri_pb.ts'

/** CRI's messages as they are sent: any subset of fields. */
export type SandboxConfig = MessageInitShape<typeof PodSandboxConfigSchema>
export type ContainerConfig = MessageInitShape<typeof ContainerConfigSchema>
export type ContainerResources = MessageInitShape<typeof LinuxContainerResourcesSchema>
export type RegistryCredentials = MessageInitShape<typeof AuthConfigSchema>

export type Sandbox = {
  readonly id: string
  readonly podUid: string
  readonly podName: string
  readonly podNamespace: string
  readonly attempt: number
  readonly ready: boolean
  readonly createdAtMs: number
  readonly labels: Readonly<Record<string, string>>
  /** Only in the answer to podSandboxStatus; empty with the node's network or once stopped. */
  readonly ips: readonly string[]
  /** Whether the pod uses the node's network; only in the answer to podSandboxStatus. */
  readonly hostNetwork: boolean
}

export type ContainerStateName = 'created' | 'running' | 'exited' | 'unknown'

/** One container as lists show it. */
export type ContainerRecord = {
  readonly id: string
  readonly sandboxId: string
  readonly name: string
  readonly attempt: number
  readonly state: ContainerStateName
  readonly createdAtMs: number
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

/** 0: no limit. */
export type ActualResources = {
  readonly cpuShares: number
  readonly cpuQuota: number
  readonly memoryLimitBytes: number
}

/** One container with all that its status tells. */
export type ContainerDetail = ContainerRecord & {
  readonly image: string
  readonly imageRef: string
  readonly imageId: string
  /** 0 until it has happened. */
  readonly startedAtMs: number
  readonly finishedAtMs: number
  readonly exitCode: number
  readonly reason: string
  readonly message: string
  readonly logPath: string
  /** Who runs it, where that is not the runtime that `version` names. */
  readonly runtimeName?: string
  /** What the kernel was told; absent where the runtime does not say, or the container does not run yet. */
  readonly resources?: ActualResources
  /** What this node gave it last; absent where it does not remember (upstream's actuated resources). */
  readonly actuated?: ResourceRequirements
  readonly user?: { readonly uid: number; readonly gid: number; readonly supplementalGroups: readonly number[] }
}

export type Image = {
  readonly id: string
  readonly tags: readonly string[]
  readonly digests: readonly string[]
  readonly sizeBytes: number
  /** Numeric user of the image's configuration, if it has one. */
  readonly uid?: number
  readonly username: string
  readonly pinned: boolean
}

export type RuntimeVersion = { readonly name: string; readonly version: string; readonly apiVersion: string }

export type RuntimeCondition = { readonly ready: boolean; readonly reason: string; readonly message: string }

export type RuntimeStatus = { readonly runtime: RuntimeCondition; readonly network: RuntimeCondition }

export type ExecResult = { readonly stdout: Buffer; readonly stderr: Buffer; readonly exitCode: number }

export type StreamOptions = {
  readonly stdin: boolean
  readonly stdout: boolean
  readonly stderr: boolean
  readonly tty: boolean
}

/** A container (or the pause of a sandbox) came or went; `id` is of either. `lost` asks for a relist: events were missed. */
export type RuntimeEvent = { readonly type: 'started' | 'exited' | 'removed' | 'lost'; readonly id: string }

export type FilesystemUsage = { readonly mountpoint: string; readonly usedBytes: number; readonly inodesUsed: number }

/**
 * Stop and remove are idempotent and succeed for what is gone; status answers null for it. All others throw GrpcError with
 * the runtime's own text. A call with an aborted signal throws the signal's reason; the runtime may still have acted.
 */
export interface RuntimeService {
  version(): Promise<RuntimeVersion>
  status(): Promise<RuntimeStatus>
  updatePodCidr(podCidr: string): Promise<void>

  /** Resolves when the pod's network is ready, with the sandbox id. */
  runPodSandbox(config: SandboxConfig, runtimeHandler: string, signal?: AbortSignal): Promise<string>
  stopPodSandbox(id: string): Promise<void>
  removePodSandbox(id: string): Promise<void>
  podSandboxStatus(id: string): Promise<Sandbox | null>
  /** All, or those of one pod. */
  listPodSandboxes(podUid?: string): Promise<Sandbox[]>

  createContainer(sandboxId: string, config: ContainerConfig, sandboxConfig: SandboxConfig): Promise<string>
  startContainer(id: string): Promise<void>
  /** Stop signal, then after `timeoutSeconds` SIGKILL. An aborted signal stops the waiting: a shorter call may follow. */
  stopContainer(id: string, timeoutSeconds: number, signal?: AbortSignal): Promise<void>
  removeContainer(id: string): Promise<void>
  listContainers(podUid?: string): Promise<ContainerRecord[]>
  containerStatus(id: string): Promise<ContainerDetail | null>
  updateContainerResources(id: string, resources: ContainerResources): Promise<void>
  /** Bytes on disk that containers wrote beside their volumes, by container id. */
  writableLayers(): Promise<ReadonlyMap<string, number>>
  /** After the log file was renamed away. */
  reopenContainerLog(id: string): Promise<void>

  /** Throws a GrpcError with GRPC_DEADLINE_EXCEEDED when the command runs longer; `signal` is the caller's own deadline. */
  execSync(id: string, command: readonly string[], timeoutSeconds: number, signal?: AbortSignal): Promise<ExecResult>
  /** A single-use URL of the runtime's streaming server. */
  exec(id: string, command: readonly string[], options: StreamOptions): Promise<string>
  attach(id: string, options: StreamOptions): Promise<string>
  portForward(sandboxId: string): Promise<string>

  listImages(): Promise<Image[]>
  imageStatus(image: string): Promise<Image | null>
  /** The pulled image's reference (digest or id). */
  pullImage(
    image: string,
    credentials: RegistryCredentials | undefined,
    sandboxConfig: SandboxConfig,
    signal?: AbortSignal,
  ): Promise<string>
  removeImage(image: string): Promise<void>
  imageFilesystem(): Promise<FilesystemUsage | null>

  /** Events from now on, until `signal` aborts. Ends or throws when the runtime goes away: the caller begins again and relists. */
  events(signal: AbortSignal): AsyncIterable<RuntimeEvent>
}
