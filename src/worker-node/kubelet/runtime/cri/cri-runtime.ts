/** A container runtime reached through CRI v1 on a unix socket. */
import { GrpcClient } from '../grpc-client.ts'
import { RuntimeService as Cri } from '../proto/cri_pb.ts'
import type {
  ContainerConfig,
  ContainerResources,
  RegistryCredentials,
  RuntimeCondition,
  RuntimeEvent,
  RuntimeService,
  RuntimeStatus,
  RuntimeVersion,
  SandboxConfig,
  StreamOptions,
} from '../runtime-service.ts'
import * as containers from './containers.ts'
import { runtimeEvents } from './events.ts'
import * as images from './images.ts'
import * as sandboxes from './sandboxes.ts'

export class CriRuntime implements RuntimeService {
  readonly #client: GrpcClient
  /** Events have a connection of their own: a long list never delays the news of a death. */
  readonly #eventClient: GrpcClient

  /** `endpoint` is a path or `unix:///path`. */
  constructor(endpoint: string) {
    this.#client = new GrpcClient(endpoint)
    this.#eventClient = new GrpcClient(endpoint)
  }

  async version(): Promise<RuntimeVersion> {
    const answer = await this.#client.unary(Cri.method.version, {})
    return { name: answer.runtimeName, version: answer.runtimeVersion, apiVersion: answer.runtimeApiVersion }
  }

  async status(): Promise<RuntimeStatus> {
    const { status } = await this.#client.unary(Cri.method.status, {})
    const condition = (type: string): RuntimeCondition => {
      const found = status?.conditions.find((candidate) => candidate.type === type)
      return { ready: found?.status ?? false, reason: found?.reason ?? '', message: found?.message ?? '' }
    }
    return { runtime: condition('RuntimeReady'), network: condition('NetworkReady') }
  }

  async updatePodCidr(podCidr: string): Promise<void> {
    await this.#client.unary(Cri.method.updateRuntimeConfig, { runtimeConfig: { networkConfig: { podCidr } } })
  }

  runPodSandbox(config: SandboxConfig, runtimeHandler: string, signal?: AbortSignal): Promise<string> {
    return sandboxes.runPodSandbox(this.#client, config, runtimeHandler, signal)
  }
  stopPodSandbox(id: string): Promise<void> {
    return sandboxes.stopPodSandbox(this.#client, id)
  }
  removePodSandbox(id: string): Promise<void> {
    return sandboxes.removePodSandbox(this.#client, id)
  }
  podSandboxStatus(id: string): ReturnType<RuntimeService['podSandboxStatus']> {
    return sandboxes.podSandboxStatus(this.#client, id)
  }
  listPodSandboxes(podUid?: string): ReturnType<RuntimeService['listPodSandboxes']> {
    return sandboxes.listPodSandboxes(this.#client, podUid)
  }

  createContainer(sandboxId: string, config: ContainerConfig, sandboxConfig: SandboxConfig): Promise<string> {
    return containers.createContainer(this.#client, sandboxId, config, sandboxConfig)
  }
  startContainer(id: string): Promise<void> {
    return containers.startContainer(this.#client, id)
  }
  stopContainer(id: string, timeoutSeconds: number, signal?: AbortSignal): Promise<void> {
    return containers.stopContainer(this.#client, id, timeoutSeconds, signal)
  }
  removeContainer(id: string): Promise<void> {
    return containers.removeContainer(this.#client, id)
  }
  listContainers(podUid?: string): ReturnType<RuntimeService['listContainers']> {
    return containers.listContainers(this.#client, podUid)
  }
  containerStatus(id: string): ReturnType<RuntimeService['containerStatus']> {
    return containers.containerStatus(this.#client, id)
  }
  updateContainerResources(id: string, resources: ContainerResources): Promise<void> {
    return containers.updateContainerResources(this.#client, id, resources)
  }
  writableLayers(): ReturnType<RuntimeService['writableLayers']> {
    return containers.writableLayers(this.#client)
  }
  reopenContainerLog(id: string): Promise<void> {
    return containers.reopenContainerLog(this.#client, id)
  }

  execSync(
    id: string,
    command: readonly string[],
    timeoutSeconds: number,
    signal?: AbortSignal,
  ): ReturnType<RuntimeService['execSync']> {
    return containers.execSync(this.#client, id, { command, timeoutSeconds, ...(signal && { signal }) })
  }
  async exec(containerId: string, command: readonly string[], options: StreamOptions): Promise<string> {
    return (await this.#client.unary(Cri.method.exec, { containerId, cmd: [...command], ...options })).url
  }
  async attach(containerId: string, options: StreamOptions): Promise<string> {
    return (await this.#client.unary(Cri.method.attach, { containerId, ...options })).url
  }
  async portForward(podSandboxId: string): Promise<string> {
    return (await this.#client.unary(Cri.method.portForward, { podSandboxId })).url
  }

  listImages(): ReturnType<RuntimeService['listImages']> {
    return images.listImages(this.#client)
  }
  imageStatus(image: string): ReturnType<RuntimeService['imageStatus']> {
    return images.imageStatus(this.#client, image)
  }
  pullImage(
    image: string,
    credentials: RegistryCredentials | undefined,
    sandboxConfig: SandboxConfig,
    signal?: AbortSignal,
  ): Promise<string> {
    return images.pullImage(this.#client, {
      image,
      sandboxConfig,
      ...(credentials && { credentials }),
      ...(signal && { signal }),
    })
  }
  removeImage(image: string): Promise<void> {
    return images.removeImage(this.#client, image)
  }
  imageFilesystem(): ReturnType<RuntimeService['imageFilesystem']> {
    return images.imageFilesystem(this.#client)
  }

  events(signal: AbortSignal): AsyncIterable<RuntimeEvent> {
    return runtimeEvents(this.#eventClient, signal)
  }

  close(): void {
    this.#client.close()
    this.#eventClient.close()
  }
}
