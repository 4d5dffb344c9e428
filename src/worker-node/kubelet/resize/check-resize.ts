/** Decides whether the node can give a pod the resources that it now asks for: pure. */
import type { Pod } from '#api/core/v1.gen.ts'
import { admitPod, podRequest, RESOURCES, type AdmissionFacts } from '../admission.ts'
import { qosClassOf } from '../pods/pod-facts.ts'

/** Why not now. What no node of this kind could ever do, the API server has refused already. */
export type Refusal = { readonly reason: 'Deferred'; readonly message: string }

export function checkResize(pod: Pod, facts: AdmissionFacts): Refusal | null {
  const refusal = admitPod(pod, facts)
  return refusal && { reason: 'Deferred', message: refusal.message }
}

const QOS_RANK = { Guaranteed: 0, Burstable: 1, BestEffort: 2 }

/** Who is looked at first when room appears: those that need none, then by priority, by quality of service, and who waits longest. */
export function byResizePriority(a: ResizeRequest, b: ResizeRequest): number {
  const grows = Number(isGrowing(a)) - Number(isGrowing(b))
  const priority = (b.desired.spec.priority ?? 0) - (a.desired.spec.priority ?? 0)
  const quality = QOS_RANK[qosClassOf(a.desired)] - QOS_RANK[qosClassOf(b.desired)]
  const [one, other] = [waitingSince(a.desired), waitingSince(b.desired)]
  return grows || priority || quality || Number(one > other) - Number(one < other)
}

/** As the API server has been told, which an earlier run of the kubelet may have done. */
function waitingSince({ status }: Pod): number {
  const pending = status?.conditions?.find(({ type }) => type === 'PodResizePending')
  return pending?.lastTransitionTime ? Date.parse(pending.lastTransitionTime) : Infinity
}

export type ResizeRequest = { readonly desired: Pod; readonly allocated: Pod }

const isGrowing = ({ desired, allocated }: ResizeRequest): boolean =>
  RESOURCES.some(
    ([resource, valueOf]) => podRequest(desired, resource, valueOf) > podRequest(allocated, resource, valueOf),
  )
