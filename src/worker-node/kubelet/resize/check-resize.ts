/** Decides whether the node can give a pod the resources that it now asks for: pure. */
import type { Pod } from '#api/core/v1.gen.ts'
import { admitPod, podRequest, RESOURCES, type AdmissionFacts } from '../admission.ts'
import { isStaticPod, qosClassOf } from '../pods/pod-facts.ts'

/** Infeasible: never on this node. Deferred: not now. */
export type Refusal = { readonly reason: 'Infeasible' | 'Deferred'; readonly message: string }

export function checkResize(pod: Pod, facts: AdmissionFacts): Refusal | null {
  if (isStaticPod(pod)) return { reason: 'Infeasible', message: 'In-place resize of static-pods is not supported' }
  // Memory is named first where both are too much, as upstream does.
  for (const [resource, valueOf] of RESOURCES.toReversed()) {
    const capacity = facts.allocatable[resource]
    const requested = podRequest(pod, resource, valueOf)
    if (capacity === undefined || requested <= valueOf(capacity)) continue
    const numbers = `${resource}, requested: ${requested}, capacity: ${valueOf(capacity)}`
    return { reason: 'Infeasible', message: `Node didn't have enough capacity: ${numbers}` }
  }
  const refusal = admitPod(pod, facts)
  return refusal && { reason: 'Deferred', message: refusal.message }
}

const QOS_RANK = { Guaranteed: 0, Burstable: 1, BestEffort: 2 }

/** Who is looked at first when room appears: those that need none, then by priority, then by quality of service. */
export function byResizePriority(a: ResizeRequest, b: ResizeRequest): number {
  const grows = Number(isGrowing(a)) - Number(isGrowing(b))
  const priority = (b.desired.spec.priority ?? 0) - (a.desired.spec.priority ?? 0)
  return grows || priority || QOS_RANK[qosClassOf(a.desired)] - QOS_RANK[qosClassOf(b.desired)]
}

export type ResizeRequest = { readonly desired: Pod; readonly allocated: Pod }

const isGrowing = ({ desired, allocated }: ResizeRequest): boolean =>
  RESOURCES.some(
    ([resource, valueOf]) => podRequest(desired, resource, valueOf) > podRequest(allocated, resource, valueOf),
  )
