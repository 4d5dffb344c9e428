/** Compares the resources that containers run with to those that they should: what a resize still has to do; pure. */
import type { Container, Pod, ResourceRequirements } from '#api/core/v1.gen.ts'
import { cpuQuota, cpuShares } from '../containers/resources.ts'
import { activeOf, type PodState } from '../pods/pod-state.ts'
import { isSidecar } from '../pods/pod-facts.ts'
import { formatBytes, quantityMilliValue, quantityValue } from '../quantities.ts'
import type { ActualResources, ContainerDetail } from '../runtime/runtime-service.ts'
import { resizableContainers } from './allocation.ts'

/** Undefined is no limit. */
type Kernel = { readonly cpuShares: number; readonly cpuQuota?: number; readonly memoryLimit?: number }

function wantedOf({ resources }: Pick<Container, 'resources'>): Kernel {
  const cpuLimit = quantityMilliValue(resources?.limits?.['cpu'] ?? '0')
  const memoryLimit = quantityValue(resources?.limits?.['memory'] ?? '0')
  return {
    cpuShares: cpuShares(quantityMilliValue(resources?.requests?.['cpu'] ?? resources?.limits?.['cpu'] ?? '0')),
    ...(cpuLimit > 0 && { cpuQuota: cpuQuota(cpuLimit) }),
    ...(memoryLimit > 0 && { memoryLimit }),
  }
}

export type Difference = { readonly cpu: boolean; readonly memory: boolean }

const SAME: Difference = { cpu: false, memory: false }

type Running = Pick<ContainerDetail, 'resources' | 'actuated'>

/** What a container still has to be given. Where the node does not remember what it gave, the runtime's word counts. */
export function differenceOf(container: Pick<Container, 'resources'>, running: Running): Difference {
  if (running.actuated === undefined) return kernelDifferenceOf(container, running.resources)
  const isOther = (resource: string, valueOf: (text: string) => number): boolean =>
    (['requests', 'limits'] as const).some(
      (part) =>
        valueOf(container.resources?.[part]?.[resource] ?? '0') !==
        valueOf(running.actuated?.[part]?.[resource] ?? '0'),
    )
  return { cpu: isOther('cpu', quantityMilliValue), memory: isOther('memory', quantityValue) }
}

/** A runtime that tells nothing of a container's resources is taken to have done what it was asked. */
function kernelDifferenceOf(container: Pick<Container, 'resources'>, actual: ActualResources | undefined): Difference {
  if (actual === undefined) return SAME
  const wanted = wantedOf(container)
  return {
    cpu:
      actual.cpuShares !== wanted.cpuShares || (wanted.cpuQuota !== undefined && actual.cpuQuota !== wanted.cpuQuota),
    memory: wanted.memoryLimit !== undefined && actual.memoryLimitBytes !== wanted.memoryLimit,
  }
}

/** Whether the container has asked to be started anew for what changed. */
export function isRestartNeeded(container: Container, running: Running): boolean {
  const difference = differenceOf(container, running)
  return (container.resizePolicy ?? []).some(
    ({ resourceName, restartPolicy }) =>
      restartPolicy === 'RestartContainer' && difference[resourceName as keyof Difference],
  )
}

export type ResizeStep = {
  readonly container: Container
  readonly id: string
  readonly difference: Difference
  readonly needsRestart: boolean
  readonly actual: ActualResources
}

/** Running containers whose resources have to change, those that give memory back first. */
export function planResize(pod: Pod, state: PodState): ResizeStep[] {
  const steps = resizableContainers(pod).flatMap((container): ResizeStep[] => {
    const running = activeOf(state, container.name)
    if (running?.state !== 'running') return []
    const difference = differenceOf(container, running)
    if (!difference.cpu && !difference.memory) return []
    const needsRestart = isRestartNeeded(container, running)
    return [{ container, id: running.id, difference, needsRestart, actual: kernelOf(running) }]
  })
  const growth = ({ container, actual }: ResizeStep): number => {
    const wanted = wantedOf(container)
    return (wanted.memoryLimit ?? 0) - actual.memoryLimitBytes || (wanted.cpuQuota ?? 0) - actual.cpuQuota
  }
  return steps.toSorted((a, b) => growth(a) - growth(b))
}

function kernelOf({ resources, actuated }: Running): ActualResources {
  if (resources) return resources
  const { cpuShares, cpuQuota = 0, memoryLimit = 0 } = wantedOf(actuated ? { resources: actuated } : {})
  return { cpuShares, cpuQuota, memoryLimitBytes: memoryLimit }
}

/** The container's resources as they are in force; words of the spec are kept where they mean the same. */
export function actualResources(
  container: Pick<Container, 'resources'>,
  running: Pick<ContainerDetail, 'resources'>,
): ResourceRequirements | undefined {
  const { resources: actual } = running
  const difference = kernelDifferenceOf(container, actual)
  if (actual === undefined || (!difference.cpu && !difference.memory)) return container.resources
  const { requests, limits } = container.resources ?? {}
  const cpu = difference.cpu && { cpu: `${Math.ceil((actual.cpuShares * 1000) / 1024)}m` }
  const cpuLimit = difference.cpu && actual.cpuQuota > 0 && { cpu: `${Math.round(actual.cpuQuota / 100)}m` }
  const memory = difference.memory && actual.memoryLimitBytes > 0 && { memory: formatBytes(actual.memoryLimitBytes) }
  return {
    ...(requests && { requests: { ...requests, ...cpu } }),
    ...(limits && { limits: { ...limits, ...cpuLimit, ...memory } }),
  }
}

/** The pod with the resources that are in force now. */
export function withActualResources(pod: Pod, state: PodState): Pod {
  const replace = (container: Container): Container => {
    const running = activeOf(state, container.name)
    const resources = running?.state === 'running' ? actualResources(container, running) : container.resources
    return resources === undefined ? container : { ...container, resources }
  }
  const { initContainers, containers } = pod.spec
  return {
    ...pod,
    spec: {
      ...pod.spec,
      containers: containers.map(replace),
      ...(initContainers && {
        initContainers: initContainers.map((container) => (isSidecar(container) ? replace(container) : container)),
      }),
    },
  }
}
