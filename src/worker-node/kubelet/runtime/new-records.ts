/** What a runtime without processes of its own remembers of sandboxes and containers: hosted pods and the simulated runtime. */
import { CONTAINER_NAME_LABEL, POD_UID_LABEL } from './labels.ts'
import type {
  ActualResources,
  ContainerConfig,
  ContainerDetail,
  ContainerRecord,
  ContainerResources,
  Sandbox,
  SandboxConfig,
} from './runtime-service.ts'

export function newSandbox(
  config: SandboxConfig,
  own: Pick<Sandbox, 'id' | 'createdAtMs' | 'ips' | 'hostNetwork'>,
): Sandbox {
  const { name = '', namespace = '', uid = '', attempt = 0 } = config.metadata ?? {}
  const labels = { ...config.labels }
  return { ...own, podUid: uid, podName: name, podNamespace: namespace, attempt, ready: true, labels }
}

/** Created, not started. */
export function newContainer(
  config: ContainerConfig,
  own: Pick<ContainerDetail, 'id' | 'sandboxId' | 'createdAtMs' | 'logPath'>,
): ContainerDetail {
  const { name = '', attempt = 0 } = config.metadata ?? {}
  const image = config.image?.image ?? ''
  return {
    ...own,
    name: config.labels?.[CONTAINER_NAME_LABEL] ?? name,
    attempt,
    state: 'created',
    labels: { ...config.labels },
    annotations: { ...config.annotations },
    image,
    imageRef: image,
    imageId: image,
    startedAtMs: 0,
    finishedAtMs: 0,
    exitCode: 0,
    reason: '',
    message: '',
  }
}

/** Of one pod, or all. */
export function sandboxesOf(sandboxes: Iterable<Sandbox>, podUid: string | undefined): Sandbox[] {
  return [...sandboxes].filter((sandbox) => podUid === undefined || sandbox.podUid === podUid)
}

export function containersOf<T extends ContainerRecord>(containers: Iterable<T>, podUid: string | undefined): T[] {
  return [...containers].filter(({ labels }) => podUid === undefined || labels[POD_UID_LABEL] === podUid)
}

/** Resources as the kernel would have them. */
export const actualOf = (resources: ContainerResources): ActualResources => ({
  cpuShares: Number(resources.cpuShares ?? 0n),
  cpuQuota: Number(resources.cpuQuota ?? 0n),
  memoryLimitBytes: Number(resources.memoryLimitInBytes ?? 0n),
})
