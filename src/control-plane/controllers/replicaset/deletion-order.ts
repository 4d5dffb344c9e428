/** Which pods of a set go first when there are too many. */
import type { Pod } from '#api/core/v1.gen.ts'
import { isPodReady, readySince } from '../pods/pod-state.ts'

const COST_ANNOTATION = 'controller.kubernetes.io/pod-deletion-cost'
const PHASE_ORDER: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 }

/** A pod with what decides its place; the smaller vector goes first. */
type Ranked = { readonly pod: Pod; readonly rank: readonly number[] }

/**
 * Sorted so that the first ones are to be deleted: unplaced, pending, not ready, cheap, crowded (many related pods on the node), ready for
 * a shorter time, restarted more often, younger. `crowding` gives the number of related active pods on a pod's node.
 */
export function byDeletionOrder(pods: readonly Pod[], crowding: (pod: Pod) => number, nowMs: number): Pod[] {
  return pods
    .map((pod): Ranked => ({ pod, rank: rankOf(pod, crowding(pod), nowMs) }))
    .toSorted((a, b) => compareRanks(a.rank, b.rank) || (a.pod.metadata.name < b.pod.metadata.name ? -1 : 1))
    .map(({ pod }) => pod)
}

function rankOf(pod: Pod, crowding: number, nowMs: number): number[] {
  return [
    pod.spec.nodeName ? 1 : 0,
    PHASE_ORDER[pod.status?.phase ?? 'Unknown'] ?? 1,
    isPodReady(pod) ? 1 : 0,
    costOf(pod),
    -crowding,
    ageClass(pod, nowMs),
    -restartsOf(pod),
    -Date.parse(pod.metadata.creationTimestamp),
  ]
}

function compareRanks(a: readonly number[], b: readonly number[]): number {
  for (const [position, value] of a.entries()) if (value !== b[position]) return value - b[position]!
  return 0
}

function costOf({ metadata }: Pod): number {
  const text = metadata.annotations?.[COST_ANNOTATION] ?? '0'
  return /^(0|-?[1-9]\d*)$/.test(text) ? Number(text) : 0
}

/** Pods that have been ready for nearly the same time are equals: only the order of magnitude counts. */
function ageClass(pod: Pod, nowMs: number): number {
  const since = readySince(pod)
  return since === null ? -1 : Math.floor(Math.log2(Math.max(1, nowMs - since)))
}

function restartsOf({ status }: Pod): number {
  return Math.max(0, ...(status?.containerStatuses ?? []).map(({ restartCount }) => restartCount))
}
