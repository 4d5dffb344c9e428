/** Turns requests and limits into what the kernel takes: CPU shares and quota, memory limit, OOM score. */
import type { Container, Pod } from '#api/core/v1.gen.ts'
import { CPU_PERIOD_US, type CgroupResources } from '../cgroups/cgroup-manager.ts'
import { isSidecar, qosClassOf } from '../pods/pod-facts.ts'
import { quantityMilliValue, quantityValue } from '../quantities.ts'
import type { ContainerResources } from '../runtime/runtime-service.ts'

const SHARES_PER_CPU = 1024
export const SHARES_MIN = 2
const SHARES_MAX = 262_144
/** The kernel refuses a quota under 1 ms. */
const QUOTA_US_MIN = 1000

const OOM_GUARANTEED = -997
const OOM_BEST_EFFORT = 1000
/** From this priority on a pod is part of the node itself. */
const NODE_CRITICAL_PRIORITY = 2_000_001_000

export const cpuShares = (milliCpu: number): number =>
  Math.min(Math.max(Math.floor((milliCpu * SHARES_PER_CPU) / 1000), SHARES_MIN), SHARES_MAX)

export const cpuQuota = (milliCpu: number): number =>
  Math.max(Math.floor((milliCpu * CPU_PERIOD_US) / 1000), QUOTA_US_MIN)

type Resources = Container['resources']

const milliCpuOf = (list: Record<string, string> | undefined): number => quantityMilliValue(list?.['cpu'] ?? '0')
const memoryOf = (list: Record<string, string> | undefined): number => quantityValue(list?.['memory'] ?? '0')

export function containerResources(
  pod: Pod,
  container: Pick<Container, 'resources'>,
  memoryCapacity: number,
): ContainerResources {
  const { requests, limits } = container.resources ?? {}
  const limitCpu = milliCpuOf(limits)
  const requestCpu = requests?.['cpu'] === undefined ? limitCpu : milliCpuOf(requests)
  const memoryLimit = memoryOf(limits)
  return {
    cpuShares: BigInt(cpuShares(requestCpu)),
    cpuPeriod: BigInt(CPU_PERIOD_US),
    ...(limitCpu > 0 && { cpuQuota: BigInt(cpuQuota(limitCpu)) }),
    ...(memoryLimit > 0 && {
      memoryLimitInBytes: BigInt(memoryLimit),
      memorySwapLimitInBytes: BigInt(memoryLimit),
    }),
    oomScoreAdj: BigInt(oomScore(pod, container, memoryCapacity)),
  }
}

/** The more of its node a Burstable container asked for, the later it is chosen. */
export function oomScore(pod: Pod, container: Pick<Container, 'resources'>, memoryCapacity: number): number {
  if ((pod.spec.priority ?? 0) >= NODE_CRITICAL_PRIORITY) return OOM_GUARANTEED
  const qos = qosClassOf(pod)
  if (qos === 'Guaranteed') return OOM_GUARANTEED
  if (qos === 'BestEffort') return OOM_BEST_EFFORT
  const { requests, limits } = container.resources ?? {}
  const request = requests?.['memory'] === undefined ? memoryOf(limits) : memoryOf(requests)
  const score = 1000 - Math.floor((1000 * request) / memoryCapacity)
  return Math.min(Math.max(score, 1000 + OOM_GUARANTEED), OOM_BEST_EFFORT - 1)
}

/** Sums of the pod's containers; init containers count where they need more than what runs later. */
export function podCgroupResources(pod: Pod, pidsMax?: number): CgroupResources {
  const podLevel = pod.spec.resources
  const request = podLevel?.requests?.['cpu'] ?? podLevel?.limits?.['cpu']
  const milliRequest = request === undefined ? effective(pod, requestCpuOf) : quantityMilliValue(request)
  const cpuLimit = podLevel?.limits?.['cpu']
  const milliLimit = cpuLimit === undefined ? limited(pod, (r) => milliCpuOf(r?.limits)) : quantityMilliValue(cpuLimit)
  const memory = podLevel?.limits?.['memory']
  const memoryLimit = memory === undefined ? limited(pod, (r) => memoryOf(r?.limits)) : quantityValue(memory)
  return {
    cpuShares: cpuShares(milliRequest + milliCpuOf(pod.spec.overhead)),
    ...(milliLimit > 0 && { cpuQuotaUs: cpuQuota(milliLimit + milliCpuOf(pod.spec.overhead)) }),
    ...(memoryLimit > 0 && { memoryLimitBytes: memoryLimit + memoryOf(pod.spec.overhead) }),
    ...(pidsMax !== undefined && { pidsMax }),
  }
}

const requestCpuOf = (resources: Resources): number =>
  resources?.requests?.['cpu'] === undefined ? milliCpuOf(resources?.limits) : milliCpuOf(resources.requests)

/** A limit for the pod exists only when every container has one. */
function limited(pod: Pod, amountOf: (resources: Resources) => number): number {
  const all = [...(pod.spec.initContainers ?? []), ...pod.spec.containers]
  return all.every((container) => amountOf(container.resources) > 0) ? effective(pod, amountOf) : 0
}

/** Sidecars add to all that starts after them. */
function effective(pod: Pod, amountOf: (resources: Resources) => number): number {
  let [sidecars, peak] = [0, 0]
  for (const container of pod.spec.initContainers ?? []) {
    const amount = amountOf(container.resources)
    if (isSidecar(container)) sidecars += amount
    peak = Math.max(peak, isSidecar(container) ? sidecars : sidecars + amount)
  }
  const running = pod.spec.containers.reduce((sum, container) => sum + amountOf(container.resources), sidecars)
  return Math.max(peak, running)
}
