/** Decides, without any I/O, which pods a running Job creates and which it deletes. */
import type { Job } from '#api/batch/v1.gen.ts'
import type { Pod } from '#api/core/v1.gen.ts'
import { isPodReady, isPodTerminal } from '../pods/pod-state.ts'
import { indexBackoffMs } from './index-failures.ts'
import type { JobState } from './plan.ts'
import { indexOf, isIndexed } from './pod-facts.ts'

/** Upper bound of writes in one round, so that one large Job cannot starve the others. */
const BURST_PODS_MAX = 500

export type PodPlan = {
  /** One entry per pod: its index, or -1. */
  readonly create: readonly number[]
  readonly delete: readonly Pod[]
  /** Failures have to wait this long for their replacement. */
  readonly waitMs: number
}

export function planPods(
  job: Job,
  pods: readonly Pod[],
  state: JobState,
  { backoffMs, nowMs }: { readonly backoffMs: number; readonly nowMs: number },
): PodPlan {
  const { active } = state
  if (job.spec.suspend === true) return { create: [], delete: active, waitMs: 0 }
  const wanted = wantedActive(job, state)
  const surplus = podsToRemove(job, active, Math.max(0, active.length - wanted)).slice(0, BURST_PODS_MAX)
  if (surplus.length > 0) return { create: [], delete: surplus, waitMs: 0 }
  const replacing = job.spec.podReplacementPolicy === 'Failed' ? state.terminating : 0
  const missing = wanted - replacing - active.length
  if (missing <= 0) return { create: [], delete: [], waitMs: 0 }
  const perIndex = job.spec.backoffLimitPerIndex !== undefined
  if (!perIndex && backoffMs > 0) return { create: [], delete: [], waitMs: backoffMs }
  const count = Math.min(missing, BURST_PODS_MAX)
  if (!isIndexed(job)) return { create: Array.from({ length: count }, () => -1), delete: [], waitMs: 0 }
  const pending = pendingIndexes(job, pods, state, count)
  if (!perIndex) return { create: pending, delete: [], waitMs: 0 }
  const waits = pending.map((index) => indexBackoffMs(state.delayed.get(index), nowMs))
  const ready = pending.filter((_, position) => waits[position] === 0)
  return { create: ready, delete: [], waitMs: ready.length > 0 || waits.length === 0 ? 0 : Math.min(...waits) }
}

function wantedActive({ spec }: Job, { active, succeeded, failedIndexes }: JobState): number {
  const parallelism = spec.parallelism ?? 1
  if (spec.completions === undefined) return succeeded > 0 ? active.length : parallelism
  const remaining = spec.completions - succeeded - (failedIndexes?.size ?? 0)
  return Math.max(0, Math.min(parallelism, remaining))
}

/** Indexes that have neither succeeded nor failed, and no pod. */
function pendingIndexes(job: Job, pods: readonly Pod[], state: JobState, count: number): number[] {
  const waitsForEnd = job.spec.podReplacementPolicy === 'Failed'
  const busy = new Set((waitsForEnd ? pods.filter((pod) => !isPodTerminal(pod)) : state.active).map(indexOf))
  const pending: number[] = []
  for (let index = 0; index < (job.spec.completions ?? 0) && pending.length < count; index++)
    if (!busy.has(index) && !state.succeededIndexes.has(index) && state.failedIndexes?.has(index) !== true)
      pending.push(index)
  return pending
}

/** Pods whose index is doubled or too large go in any case, then those that have done least. */
function podsToRemove(job: Job, active: readonly Pod[], least: number): Pod[] {
  const removed: Pod[] = []
  const seen = new Set<number>()
  const others: Pod[] = []
  for (const pod of active.toSorted(byWorth)) {
    const index = indexOf(pod)
    if (isIndexed(job) && (index < 0 || index >= (job.spec.completions ?? 0) || seen.has(index))) removed.push(pod)
    else others.push(pod)
    seen.add(index)
  }
  return [...removed, ...others.toReversed().slice(0, Math.max(0, least - removed.length))]
}

/** Most worth first: ready, running, bound, old. */
function byWorth(left: Pod, right: Pod): number {
  return worth(right) - worth(left) || compare(left.metadata.creationTimestamp, right.metadata.creationTimestamp)
}

function worth(pod: Pod): number {
  return (isPodReady(pod) ? 4 : 0) + (pod.status?.phase === 'Running' ? 2 : 0) + (pod.spec.nodeName ? 1 : 0)
}

const compare = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0)
