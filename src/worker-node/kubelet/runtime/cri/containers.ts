/** The container calls of CRI. */
import { CONTAINER_NAME_LABEL, POD_UID_LABEL } from '../labels.ts'
import type { GrpcClient } from '../grpc-client.ts'
import { ContainerState, RuntimeService } from '../proto/cri_pb.ts'
import type { ContainerStatus } from '../proto/cri_pb.ts'
import type {
  ContainerConfig,
  ContainerDetail,
  ContainerRecord,
  ContainerResources,
  ContainerStateName,
  ExecResult,
  SandboxConfig,
} from '../runtime-service.ts'
import { ignoreNotFound, nanosecondsToMs } from './sandboxes.ts'

const METHODS = RuntimeService.method

const STATES: Record<number, ContainerStateName> = {
  [ContainerState.CONTAINER_CREATED]: 'created',
  [ContainerState.CONTAINER_RUNNING]: 'running',
  [ContainerState.CONTAINER_EXITED]: 'exited',
}

export async function createContainer(
  client: GrpcClient,
  podSandboxId: string,
  config: ContainerConfig,
  sandboxConfig: SandboxConfig,
): Promise<string> {
  return (await client.unary(METHODS.createContainer, { podSandboxId, config, sandboxConfig })).containerId
}

export async function startContainer(client: GrpcClient, containerId: string): Promise<void> {
  await client.unary(METHODS.startContainer, { containerId })
}

export async function stopContainer(
  client: GrpcClient,
  containerId: string,
  timeoutSeconds: number,
  signal?: AbortSignal,
): Promise<void> {
  const timeout = BigInt(Math.max(0, Math.ceil(timeoutSeconds)))
  await client.unary(METHODS.stopContainer, { containerId, timeout }, signal).catch(ignoreNotFound)
}

export async function removeContainer(client: GrpcClient, containerId: string): Promise<void> {
  await client.unary(METHODS.removeContainer, { containerId }).catch(ignoreNotFound)
}

export async function listContainers(client: GrpcClient, podUid?: string): Promise<ContainerRecord[]> {
  const filter = podUid === undefined ? {} : { filter: { labelSelector: { [POD_UID_LABEL]: podUid } } }
  const { containers } = await client.unary(METHODS.listContainers, filter)
  return containers.map((container) => ({
    id: container.id,
    sandboxId: container.podSandboxId,
    name: container.labels[CONTAINER_NAME_LABEL] ?? container.metadata?.name ?? '',
    attempt: container.metadata?.attempt ?? 0,
    state: STATES[container.state] ?? 'unknown',
    createdAtMs: nanosecondsToMs(container.createdAt),
    labels: container.labels,
    annotations: container.annotations,
  }))
}

export async function containerStatus(client: GrpcClient, containerId: string): Promise<ContainerDetail | null> {
  const answer = await client.unary(METHODS.containerStatus, { containerId }).catch(ignoreNotFound)
  return answer?.status ? describe(answer.status) : null
}

function describe(status: ContainerStatus): ContainerDetail {
  const user = status.user?.linux
  const resources = status.resources?.linux
  return {
    id: status.id,
    sandboxId: '',
    name: status.labels[CONTAINER_NAME_LABEL] ?? status.metadata?.name ?? '',
    attempt: status.metadata?.attempt ?? 0,
    state: STATES[status.state] ?? 'unknown',
    createdAtMs: nanosecondsToMs(status.createdAt),
    labels: status.labels,
    annotations: status.annotations,
    image: status.image?.image ?? '',
    imageRef: status.imageRef,
    imageId: status.imageId || (status.image?.image ?? ''),
    startedAtMs: nanosecondsToMs(status.startedAt),
    finishedAtMs: nanosecondsToMs(status.finishedAt),
    exitCode: status.exitCode,
    reason: status.reason,
    message: status.message,
    logPath: status.logPath,
    ...(resources && {
      resources: {
        cpuShares: Number(resources.cpuShares),
        cpuQuota: Math.max(0, Number(resources.cpuQuota)),
        memoryLimitBytes: Math.max(0, Number(resources.memoryLimitInBytes)),
      },
    }),
    ...(user && {
      user: {
        uid: Number(user.uid),
        gid: Number(user.gid),
        supplementalGroups: user.supplementalGroups.map(Number),
      },
    }),
  }
}

export async function updateContainerResources(
  client: GrpcClient,
  containerId: string,
  linux: ContainerResources,
): Promise<void> {
  await client.unary(METHODS.updateContainerResources, { containerId, linux })
}

export async function writableLayers(client: GrpcClient): Promise<Map<string, number>> {
  const { stats } = await client.unary(METHODS.listContainerStats, {})
  return new Map(
    stats.map(({ attributes, writableLayer }) => [attributes?.id ?? '', Number(writableLayer?.usedBytes?.value ?? 0n)]),
  )
}

export async function reopenContainerLog(client: GrpcClient, containerId: string): Promise<void> {
  await client.unary(METHODS.reopenContainerLog, { containerId })
}

export async function execSync(
  client: GrpcClient,
  containerId: string,
  call: { readonly command: readonly string[]; readonly timeoutSeconds: number; readonly signal?: AbortSignal },
): Promise<ExecResult> {
  const request = { containerId, cmd: [...call.command], timeout: BigInt(Math.ceil(call.timeoutSeconds)) }
  const answer = await client.unary(METHODS.execSync, request, call.signal)
  return { stdout: Buffer.from(answer.stdout), stderr: Buffer.from(answer.stderr), exitCode: answer.exitCode }
}
