/** Decides which pod has to go when the node runs out of memory or disk, and which broke a limit of its own storage; pure. */
import type { Pod } from '#api/core/v1.gen.ts'
import { isMirrorPod, isSidecar, isStaticPod } from '../pods/pod-facts.ts'
import type { Verdict } from '../pods/pod-memory.ts'
import { podAmounts } from '../pods/pod-resources.ts'
import { quantityValue } from '../quantities.ts'

/** What a pod keeps on the node's disk. */
export type PodStorage = {
  /** Of those that run: what they wrote into their own files, and their logs with the rotated ones. */
  readonly containers: readonly { readonly name: string; readonly layerBytes: number; readonly logBytes: number }[]
  /** Of volumes that live and die with the pod, by name. */
  readonly volumeBytes: ReadonlyMap<string, number>
  readonly otherBytes: number
}

export type PodLoad = {
  readonly pod: Pod
  readonly memoryBytes: number
  readonly storage: PodStorage
}

export type NodeLoad = {
  readonly memoryAvailableBytes: number
  readonly memoryThresholdBytes: number
  readonly diskAvailablePercent: number
  readonly diskThresholdPercent: number
  /** Images and the layers of containers lie on a disk of their own: no container fills the pods' with its files. */
  readonly hasImageDisk: boolean
}

export type Pressure = { readonly memory: boolean; readonly disk: boolean }

export function pressureOf(load: NodeLoad): Pressure {
  return {
    memory: load.memoryAvailableBytes < load.memoryThresholdBytes,
    disk: load.diskAvailablePercent < load.diskThresholdPercent,
  }
}

export type Eviction = { readonly pod: Pod; readonly verdict: Verdict }

/** All that broke their own limits, and for a pressure the one pod whose end helps most at the least cost. */
export function planEvictions(load: NodeLoad, pods: readonly PodLoad[]): Eviction[] {
  const evictable = pods.filter(({ pod }) => !isCritical(pod))
  const offenders = evictable.flatMap((each) => overOwnLimit(load, each))
  const candidates = evictable.filter(({ pod }) => !offenders.some((other) => other.pod === pod))
  const pressure = pressureOf(load)
  if (pressure.memory) {
    const victim = candidates.toSorted(byMemoryRank)[0]
    if (victim) offenders.push({ pod: victim.pod, verdict: memoryVerdict(load, victim) })
  } else if (pressure.disk) {
    const victim = candidates.toSorted((a, b) => diskBytes(b) - diskBytes(a))[0]
    if (victim) offenders.push({ pod: victim.pod, verdict: diskVerdict(load) })
  }
  return offenders
}

/** A volume's limit comes first, then the pod's, which is the sum of its containers', then that of each container. */
function overOwnLimit(node: NodeLoad, load: PodLoad): Eviction[] {
  const message = volumeOverLimit(load) ?? podOverLimit(load) ?? containerOverLimit(node, load)
  return message === null ? [] : [{ pod: load.pod, verdict: { reason: 'Evicted', message } }]
}

function volumeOverLimit({ pod, storage }: PodLoad): string | null {
  for (const { name, emptyDir } of pod.spec.volumes ?? []) {
    const limit = emptyDir?.sizeLimit
    if (limit === undefined || emptyDir?.medium === 'Memory' || quantityValue(limit) === 0) continue
    if ((storage.volumeBytes.get(name) ?? 0) > quantityValue(limit))
      return `Usage of EmptyDir volume "${name}" exceeds the limit "${limit}". `
  }
  return null
}

/** One container with a limit is enough: then all that the pod keeps counts against it. */
function podOverLimit(load: PodLoad): string | null {
  const limit = podAmounts(load.pod, 'limits')[EPHEMERAL_STORAGE]
  if (limit === undefined || diskBytes(load) <= quantityValue(limit)) return null
  return `Pod ephemeral local storage usage exceeds the total limit of containers ${limit}. `
}

function containerOverLimit({ hasImageDisk }: NodeLoad, { pod, storage }: PodLoad): string | null {
  const lasting = [...pod.spec.containers, ...(pod.spec.initContainers ?? []).filter(isSidecar)]
  for (const { name, layerBytes, logBytes } of storage.containers) {
    const limit = lasting.find((container) => container.name === name)?.resources?.limits?.[EPHEMERAL_STORAGE]
    if (limit === undefined || quantityValue(limit) === 0) continue
    if (logBytes + (hasImageDisk ? 0 : layerBytes) > quantityValue(limit))
      return `Container ${name} exceeded its local ephemeral storage limit "${limit}". `
  }
  return null
}

const EPHEMERAL_STORAGE = 'ephemeral-storage'

const NODE_CRITICAL_PRIORITY = 2_000_000_000

const isCritical = (pod: Pod): boolean =>
  isStaticPod(pod) || isMirrorPod(pod) || (pod.spec.priority ?? 0) >= NODE_CRITICAL_PRIORITY

/** First those above their requests, then the least important, then the one furthest above. */
function byMemoryRank(a: PodLoad, b: PodLoad): number {
  const [excessA, excessB] = [memoryExcess(a), memoryExcess(b)]
  return (
    Number(excessB > 0) - Number(excessA > 0) ||
    (a.pod.spec.priority ?? 0) - (b.pod.spec.priority ?? 0) ||
    excessB - excessA
  )
}

function memoryExcess({ pod, memoryBytes }: PodLoad): number {
  const requests = pod.spec.containers.map((container) =>
    quantityValue(container.resources?.requests?.['memory'] ?? '0'),
  )
  return memoryBytes - requests.reduce((sum, request) => sum + request, 0)
}

function diskBytes({ storage: { containers, volumeBytes, otherBytes } }: PodLoad): number {
  const ofContainers = containers.map(({ layerBytes, logBytes }) => layerBytes + logBytes)
  return [...ofContainers, ...volumeBytes.values(), otherBytes].reduce((sum, bytes) => sum + bytes, 0)
}

const kibibytes = (bytes: number): string => `${Math.floor(bytes / 1024)}Ki`

function memoryVerdict(load: NodeLoad, victim: PodLoad): Verdict {
  const threshold = `${Math.floor(load.memoryThresholdBytes / 2 ** 20)}Mi`
  const used = victim.pod.spec.containers
    .map(
      ({ name, resources }) =>
        `Container ${name} was using ${kibibytes(victim.memoryBytes)}, request is ${resources?.requests?.['memory'] ?? '0'}, has larger consumption of memory. `,
    )
    .slice(0, 1)
    .join('')
  const message = `The node was low on resource: memory. Threshold quantity: ${threshold}, available: ${kibibytes(load.memoryAvailableBytes)}. ${used}`
  return { reason: 'Evicted', message }
}

function diskVerdict(load: NodeLoad): Verdict {
  const message = `The node was low on resource: ephemeral-storage. Threshold quantity: ${load.diskThresholdPercent}%, available: ${load.diskAvailablePercent.toFixed(1)}%. `
  return { reason: 'Evicted', message }
}
