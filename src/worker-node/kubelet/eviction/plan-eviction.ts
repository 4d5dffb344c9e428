/** Decides which pod has to go when the node runs out of memory or disk, and which broke the limit of its own volume; pure. */
import type { Pod } from '#api/core/v1.gen.ts'
import { isStaticPod } from '../pods/pod-facts.ts'
import type { Verdict } from '../pods/pod-memory.ts'
import { quantityValue } from '../quantities.ts'

export type PodLoad = {
  readonly pod: Pod
  readonly memoryBytes: number
  /** Of its emptyDir volumes on disk, by volume name. */
  readonly emptyDirBytes: ReadonlyMap<string, number>
}

export type NodeLoad = {
  readonly memoryAvailableBytes: number
  readonly memoryThresholdBytes: number
  readonly diskAvailablePercent: number
  readonly diskThresholdPercent: number
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
  const offenders = pods.flatMap(overOwnLimit)
  const candidates = pods.filter(({ pod }) => !isCritical(pod) && !offenders.some((other) => other.pod === pod))
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

function overOwnLimit({ pod, emptyDirBytes }: PodLoad): Eviction[] {
  for (const { name, emptyDir } of pod.spec.volumes ?? []) {
    if (emptyDir?.sizeLimit === undefined || emptyDir.medium === 'Memory') continue
    if ((emptyDirBytes.get(name) ?? 0) <= quantityValue(emptyDir.sizeLimit)) continue
    const message = `Usage of EmptyDir volume "${name}" exceeds the limit "${emptyDir.sizeLimit}". `
    return [{ pod, verdict: { reason: 'Evicted', message } }]
  }
  return []
}

const NODE_CRITICAL_PRIORITY = 2_000_000_000

const isCritical = (pod: Pod): boolean => isStaticPod(pod) || (pod.spec.priority ?? 0) >= NODE_CRITICAL_PRIORITY

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

const diskBytes = ({ emptyDirBytes }: PodLoad): number =>
  [...emptyDirBytes.values()].reduce((sum, bytes) => sum + bytes, 0)

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
