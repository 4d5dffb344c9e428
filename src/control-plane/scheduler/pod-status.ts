/** What the scheduler writes into the status of pods: conditions, and the node that is being made free for a pod. */
import type { Clock } from '#base/clock.ts'
import type { Pod, PodCondition } from '#api/core/v1.gen.ts'
import { PODS } from '#api/resources.gen.ts'
import type { Client } from '#client/client.ts'

export type PodStatusChange = {
  readonly condition?: Pick<PodCondition, 'type' | 'status' | 'reason' | 'message'>
  /** Empty takes the field away. */
  readonly nominatedNodeName?: string
}

/** The body of a status patch; null when the pod says all of it already. */
export function planStatusPatch(pod: Pod, change: PodStatusChange, nowMs: number): object | null {
  const status: Record<string, unknown> = {}
  if (change.condition !== undefined) {
    const old = pod.status?.conditions?.find(({ type }) => type === change.condition!.type)
    const isSame =
      old?.status === change.condition.status &&
      old.reason === change.condition.reason &&
      old.message === change.condition.message
    if (!isSame) status['conditions'] = [completeCondition(pod, change.condition, old, nowMs)]
  }
  const wanted = change.nominatedNodeName
  if (wanted !== undefined && wanted !== (pod.status?.nominatedNodeName ?? ''))
    status['nominatedNodeName'] = wanted === '' ? null : wanted
  return Object.keys(status).length === 0 ? null : { metadata: { uid: pod.metadata.uid }, status }
}

function completeCondition(
  pod: Pod,
  wanted: NonNullable<PodStatusChange['condition']>,
  old: PodCondition | undefined,
  nowMs: number,
): object {
  const now = `${new Date(nowMs).toISOString().slice(0, 19)}Z`
  return {
    ...wanted,
    lastProbeTime: null,
    lastTransitionTime: old?.status === wanted.status ? (old.lastTransitionTime ?? now) : now,
    observedGeneration: pod.metadata.generation,
  }
}

export async function patchPodStatus(
  { client, clock }: { readonly client: Client; readonly clock: Clock },
  pod: Pod,
  change: PodStatusChange,
  signal?: AbortSignal,
): Promise<void> {
  const body = planStatusPatch(pod, change, clock.now())
  if (body === null) return
  const { namespace, name } = pod.metadata
  await client.patch(PODS, namespace!, name, 'strategic', body, { subresource: 'status' }, signal)
}
