/** Decides, without any I/O, which pods a ReplicaSet has to create or delete, and what its status is. */
import type { ReplicaSet, ReplicaSetCondition, ReplicaSetStatus } from '#api/apps/v1.gen.ts'
import type { Pod } from '#api/core/v1.gen.ts'
import { isPodActive, isPodAvailable, isPodReady, readySince } from '../pods/pod-state.ts'
import { formatTime } from '../object-key.ts'
import { byDeletionOrder } from './deletion-order.ts'

export type Plan = { readonly create: number; readonly delete: readonly Pod[] }

/** Upper bound of writes in one round, so that one large set cannot starve the others. */
export const BURST_PODS_MAX = 500

export function planReplicaSet(
  replicaSet: ReplicaSet,
  pods: readonly Pod[],
  crowding: (pod: Pod) => number,
  nowMs: number,
): Plan {
  const active = pods.filter(isPodActive)
  const missing = (replicaSet.spec.replicas ?? 1) - active.length
  if (missing >= 0) return { create: Math.min(missing, BURST_PODS_MAX), delete: [] }
  return { create: 0, delete: byDeletionOrder(active, crowding, nowMs).slice(0, Math.min(-missing, BURST_PODS_MAX)) }
}

export type Failure = { readonly reason: 'FailedCreate' | 'FailedDelete'; readonly message: string }

/** Equal to the old one where nothing changed. */
export function planStatus(
  replicaSet: ReplicaSet,
  pods: readonly Pod[],
  failure: Failure | null,
  nowMs: number,
): ReplicaSetStatus {
  const active = pods.filter(isPodActive)
  const minReadySeconds = replicaSet.spec.minReadySeconds ?? 0
  const templateLabels = Object.entries(replicaSet.spec.template?.metadata?.labels ?? {})
  const conditions = planConditions(replicaSet, failure, nowMs)
  return {
    replicas: active.length,
    fullyLabeledReplicas: active.filter(({ metadata }) =>
      templateLabels.every(([key, value]) => metadata.labels?.[key] === value),
    ).length,
    readyReplicas: active.filter(isPodReady).length,
    availableReplicas: active.filter((pod) => isPodAvailable(pod, minReadySeconds, nowMs)).length,
    terminatingReplicas: pods.filter(({ metadata }) => metadata.deletionTimestamp !== undefined).length,
    observedGeneration: replicaSet.metadata.generation ?? 0,
    ...(conditions.length === 0 ? {} : { conditions }),
  }
}

/**
 * The first failure stays as it is until a round succeeds: refusals name the pod, which has a new name in each try, and a
 * status that changed each time would wake the controller at once, past its backoff.
 */
function planConditions({ status }: ReplicaSet, failure: Failure | null, nowMs: number): ReplicaSetCondition[] {
  const conditions = status?.conditions ?? []
  if (failure === null) return conditions.filter(({ type }) => type !== 'ReplicaFailure')
  if (conditions.some(({ type }) => type === 'ReplicaFailure')) return [...conditions]
  return [...conditions, { type: 'ReplicaFailure', status: 'True', lastTransitionTime: formatTime(nowMs), ...failure }]
}

/** Milliseconds until the next ready pod becomes available; null when none waits. */
export function nextAvailabilityMs(pods: readonly Pod[], minReadySeconds: number, nowMs: number): number | null {
  if (minReadySeconds === 0) return null
  const waits = pods
    .filter(isPodActive)
    .map(readySince)
    .filter((since) => since !== null)
    .map((since) => since + minReadySeconds * 1000 - nowMs)
    .filter((wait) => wait > 0)
  return waits.length === 0 ? null : Math.min(...waits)
}
