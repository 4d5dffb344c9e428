/** Sums up what a pod as a whole has been promised, and what of it is in force; pure. */
import type { Pod, PodStatus } from '#api/core/v1.gen.ts'
import { aggregateResources, type Amounts } from '#api/core/pod-spec/aggregate-resources.ts'
import { addQuantities, formatQuantity } from '#machinery/quantity.ts'
import { podCgroupResources } from '../containers/resources.ts'
import { withActualResources } from '../resize/actual-resources.ts'
import type { Phase } from './pod-phase.ts'
import type { PodState } from './pod-state.ts'

export function podResourcesOf(
  pod: Pod,
  state: PodState,
  phase: Phase,
): Pick<PodStatus, 'resources' | 'allocatedResources'> {
  const allocated = podAmounts(pod, 'requests')
  const [requests, limits] =
    phase === 'Running' ? amountsInForce(pod, state) : ([allocated, podAmounts(pod, 'limits')] as const)
  return {
    ...(hasAny(allocated) && { allocatedResources: allocated }),
    resources: { ...(hasAny(requests) && { requests }), ...(hasAny(limits) && { limits }) },
  }
}

/** What the pod's group has: processor and memory, and limits only where the pod as a whole has one. */
function amountsInForce(pod: Pod, state: PodState): readonly [Amounts, Amounts] {
  const actual = withActualResources(pod, state)
  const { cpuQuotaUs, memoryLimitBytes } = podCgroupResources(actual)
  const pick = (amounts: Amounts, isThere: (name: string) => boolean): Amounts =>
    Object.fromEntries(Object.entries(amounts).filter(([name]) => isThere(name)))
  const hasLimit: Readonly<Record<string, boolean>> = {
    cpu: cpuQuotaUs !== undefined,
    memory: memoryLimitBytes !== undefined,
  }
  const { requests, limits } = pod.spec.resources ?? {}
  return [
    pick(podAmounts(actual, 'requests'), (name) => name in hasLimit || requests?.[name] !== undefined),
    pick(podAmounts(actual, 'limits'), (name) => hasLimit[name] ?? limits?.[name] !== undefined),
  ]
}

/** With the overhead of what runs the pod. */
export function podAmounts({ spec }: Pod, part: 'requests' | 'limits'): Amounts {
  const total: Amounts = { ...aggregateResources(spec, part), ...spec.resources?.[part] }
  for (const [name, extra] of Object.entries(spec.overhead ?? {})) {
    const before = total[name]
    // What runs a pod needs room of its own, but limits nothing that was not limited.
    if (before === undefined && part === 'limits') continue
    total[name] = before === undefined ? extra : formatQuantity(addQuantities(before, extra))
  }
  return total
}

const hasAny = (amounts: Amounts): boolean => Object.keys(amounts).length > 0
