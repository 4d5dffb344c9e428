/** The pod sandbox calls of CRI: the pause container and the network of a pod. */
import { POD_UID_LABEL } from '../labels.ts'
import { GRPC_NOT_FOUND, isGrpcCode, type GrpcClient } from '../grpc-client.ts'
import { NamespaceMode, PodSandboxState, RuntimeService } from '../proto/cri_pb.ts'
import type { PodSandboxMetadata } from '../proto/cri_pb.ts'
import type { Sandbox, SandboxConfig } from '../runtime-service.ts'

const METHODS = RuntimeService.method

export async function runPodSandbox(
  client: GrpcClient,
  config: SandboxConfig,
  runtimeHandler: string,
  signal?: AbortSignal,
): Promise<string> {
  return (await client.unary(METHODS.runPodSandbox, { config, runtimeHandler }, signal)).podSandboxId
}

export async function stopPodSandbox(client: GrpcClient, id: string): Promise<void> {
  await client.unary(METHODS.stopPodSandbox, { podSandboxId: id }).catch(ignoreNotFound)
}

export async function removePodSandbox(client: GrpcClient, id: string): Promise<void> {
  await client.unary(METHODS.removePodSandbox, { podSandboxId: id }).catch(ignoreNotFound)
}

export async function podSandboxStatus(client: GrpcClient, id: string): Promise<Sandbox | null> {
  const answer = await client.unary(METHODS.podSandboxStatus, { podSandboxId: id }).catch(ignoreNotFound)
  const status = answer?.status
  if (!status) return null
  const ips = [status.network?.ip ?? '', ...(status.network?.additionalIps ?? []).map((entry) => entry.ip)]
  return {
    ...describe(status),
    ips: ips.filter((ip) => ip !== ''),
    hostNetwork: status.linux?.namespaces?.options?.network === NamespaceMode.NODE,
  }
}

export async function listPodSandboxes(client: GrpcClient, podUid?: string): Promise<Sandbox[]> {
  const filter = podUid === undefined ? {} : { filter: { labelSelector: { [POD_UID_LABEL]: podUid } } }
  const { items } = await client.unary(METHODS.listPodSandbox, filter)
  return items.map((item) => ({ ...describe(item), ips: [], hostNetwork: false }))
}

type Described = {
  readonly id: string
  readonly metadata?: PodSandboxMetadata | undefined
  readonly state: PodSandboxState
  readonly createdAt: bigint
  readonly labels: Record<string, string>
}

function describe(sandbox: Described): Omit<Sandbox, 'ips' | 'hostNetwork'> {
  return {
    id: sandbox.id,
    podUid: sandbox.metadata?.uid ?? '',
    podName: sandbox.metadata?.name ?? '',
    podNamespace: sandbox.metadata?.namespace ?? '',
    attempt: sandbox.metadata?.attempt ?? 0,
    ready: sandbox.state === PodSandboxState.SANDBOX_READY,
    createdAtMs: nanosecondsToMs(sandbox.createdAt),
    labels: sandbox.labels,
  }
}

export const nanosecondsToMs = (nanoseconds: bigint): number => Number(nanoseconds / 1_000_000n)

export function ignoreNotFound(error: unknown): undefined {
  if (isGrpcCode(error, GRPC_NOT_FOUND)) return undefined
  throw error
}
