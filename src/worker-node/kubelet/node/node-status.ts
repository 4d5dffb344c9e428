/** Writes the status of this node's object: capacity, addresses, versions, conditions, images; pure. */
import type { ContainerImage, NodeAddress, NodeCondition, NodeStatus } from '#api/core/v1.gen.ts'
import { formatTime } from '../pods/pod-conditions.ts'
import { formatKibibytes } from '../quantities.ts'
import type { Image, RuntimeVersion } from '../runtime/runtime-service.ts'
import type { MachineFacts } from './machine-facts.ts'

export type Pressures = { readonly memory: boolean; readonly disk: boolean; readonly pid: boolean }

export type NodeStatusSources = {
  readonly machine: MachineFacts
  readonly runtime: RuntimeVersion
  readonly addresses: readonly NodeAddress[]
  readonly maxPods: number
  readonly version: string
  readonly port: number | null
  readonly images: readonly Image[]
  readonly pressures: Pressures
  /** Why the node is not ready, or null. */
  readonly problem: string | null
  /** The status in the API server: conditions of others are kept, times of ours. */
  readonly before: NodeStatus
  readonly nowMs: number
}

/** Of many images only the largest are told. */
const IMAGES_MAX = 50
const NAMES_PER_IMAGE_MAX = 5
/** What this kubelet can that older ones cannot, in upstream's names and order: the API server lets clients use it only then. */
const DECLARED_FEATURES = [
  'ExtendWebSocketsToKubelet',
  'InPlacePodLevelResourcesVerticalScaling',
  'InPlacePodVerticalScalingInitContainers',
]
/** Memory that the eviction threshold holds back from pods. */
const EVICTION_RESERVE_BYTES = 100 * 2 ** 20

export function nodeStatusOf(sources: NodeStatusSources): NodeStatus {
  const { machine, runtime, addresses, maxPods, version, port, before } = sources
  const capacity = {
    cpu: String(machine.cpus),
    memory: formatKibibytes(machine.memoryBytes),
    'ephemeral-storage': formatKibibytes(machine.storageBytes),
    pods: String(maxPods),
    'hugepages-1Gi': '0',
    'hugepages-2Mi': '0',
  }
  return {
    ...before,
    capacity: { ...before.capacity, ...capacity },
    allocatable: {
      ...before.allocatable,
      ...capacity,
      memory: formatKibibytes(machine.memoryBytes - EVICTION_RESERVE_BYTES),
      'ephemeral-storage': String(Math.floor(machine.storageBytes * 0.9)),
    },
    addresses: [...addresses],
    conditions: conditionsOf(sources),
    nodeInfo: {
      machineID: machine.machineId,
      systemUUID: machine.systemUuid,
      bootID: machine.bootId,
      kernelVersion: machine.kernelVersion,
      osImage: machine.osImage,
      containerRuntimeVersion: `${runtime.name}://${runtime.version.replace(/^v/, '')}`,
      kubeletVersion: version,
      kubeProxyVersion: '',
      operatingSystem: 'linux',
      architecture: machine.architecture,
    },
    ...(port !== null && { daemonEndpoints: { kubeletEndpoint: { Port: port } } }),
    images: imagesOf(sources.images),
    declaredFeatures: DECLARED_FEATURES,
  }
}

function imagesOf(images: readonly Image[]): ContainerImage[] {
  return images
    .toSorted((a, b) => b.sizeBytes - a.sizeBytes)
    .slice(0, IMAGES_MAX)
    .map(({ tags, digests, sizeBytes }) => ({ names: [...digests, ...tags].slice(0, NAMES_PER_IMAGE_MAX), sizeBytes }))
    .filter(({ names }) => names.length > 0)
}

type Verdict = {
  readonly type: string
  readonly status: 'True' | 'False'
  readonly reason: string
  readonly message: string
}

function conditionsOf({ pressures, problem, before, nowMs }: NodeStatusSources): NodeCondition[] {
  const verdicts: Verdict[] = [
    pressure('MemoryPressure', pressures.memory, {
      yes: ['KubeletHasInsufficientMemory', 'kubelet has insufficient memory available'],
      no: ['KubeletHasSufficientMemory', 'kubelet has sufficient memory available'],
    }),
    pressure('DiskPressure', pressures.disk, {
      yes: ['KubeletHasDiskPressure', 'kubelet has disk pressure'],
      no: ['KubeletHasNoDiskPressure', 'kubelet has no disk pressure'],
    }),
    pressure('PIDPressure', pressures.pid, {
      yes: ['KubeletHasInsufficientPID', 'kubelet has insufficient PID available'],
      no: ['KubeletHasSufficientPID', 'kubelet has sufficient PID available'],
    }),
    problem === null
      ? { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready status' }
      : { type: 'Ready', status: 'False', reason: 'KubeletNotReady', message: problem },
  ]
  const old = before.conditions ?? []
  const ours = verdicts.map((verdict): NodeCondition => {
    const known = old.find(({ type }) => type === verdict.type)
    const now = formatTime(nowMs)
    const isSame = known?.status === verdict.status && known.lastTransitionTime !== undefined
    return { ...verdict, lastHeartbeatTime: now, lastTransitionTime: isSame ? known.lastTransitionTime! : now }
  })
  return [...old.filter(({ type }) => !verdicts.some((verdict) => verdict.type === type)), ...ours]
}

function pressure(
  type: string,
  isUnder: boolean,
  texts: { readonly yes: readonly [string, string]; readonly no: readonly [string, string] },
): Verdict {
  const [reason, message] = isUnder ? texts.yes : texts.no
  return { type, status: isUnder ? 'True' : 'False', reason, message }
}

/** Whether the API server has to hear at once, or can wait for the next regular report. */
export function isNewsworthy(before: NodeStatus, after: NodeStatus): boolean {
  const essence = (status: NodeStatus): string =>
    JSON.stringify([
      status.conditions?.map(({ type, status, reason, message }) => [type, status, reason, message]).sort(),
      sorted(status.capacity),
      sorted(status.allocatable),
      status.addresses,
      sorted(status.nodeInfo),
      status.daemonEndpoints,
      status.images,
      status.declaredFeatures,
    ])
  return essence(before) !== essence(after)
}

const sorted = (value: object | undefined): unknown[] =>
  Object.entries(value ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
