/** Counts ended pods exactly once: first their uids go into the status, then their finalizers go, then the counters grow. */
import type { Job, JobStatus } from '#api/batch/v1.gen.ts'
import type { Pod } from '#api/core/v1.gen.ts'
import type { Outcome } from './conditions.ts'
import { matchFailurePolicy } from './failure-policy.ts'
import { formatIndexes } from './indexes.ts'
import type { JobState } from './plan.ts'
import { hasTracking, indexOf, isIndexed, isPodFailed } from './pod-facts.ts'

/** Keeps the status below 20 kB, and one large Job from starving the others. */
const UNCOUNTED_MAX = 500

export type Counting = {
  readonly status: JobStatus
  /** Pods that lose their finalizer once the status is written. */
  readonly release: readonly Pod[]
  /** More pods are left for the next round. */
  readonly isCapped: boolean
}

export type CountingFacts = {
  readonly job: Job
  readonly status: JobStatus
  readonly pods: readonly Pod[]
  readonly state: JobState
  readonly counted: ReadonlySet<string>
  readonly outcome: Outcome | null
}

export function planCounting(facts: CountingFacts): Counting {
  const { job, pods, counted, state } = facts
  const tracked = pods.filter((pod) => hasTracking(pod) && !counted.has(pod.metadata.uid))
  const base = settle(facts.status, new Set(tracked.map(({ metadata }) => metadata.uid)))
  const succeeded = [...(base.uncountedTerminatedPods?.succeeded ?? [])]
  const failed = [...(base.uncountedTerminatedPods?.failed ?? [])]
  const indexes = new Set(state.previousIndexes)
  const release: Pod[] = []
  let isCapped = false
  for (const pod of isIndexed(job) ? tracked.toSorted((a, b) => indexOf(a) - indexOf(b)) : tracked) {
    if (!isReleasable(pod, facts)) continue
    release.push(pod)
    count(pod, facts, { succeeded, failed, indexes })
    isCapped = indexes.size - state.previousIndexes.size + succeeded.length + failed.length >= UNCOUNTED_MAX
    if (isCapped) break
  }
  const status: JobStatus = { ...base, uncountedTerminatedPods: { succeeded, failed } }
  if (isIndexed(job)) {
    status.succeeded = indexes.size
    status.completedIndexes = formatIndexes(indexes)
    if (state.failedIndexes !== null) status.failedIndexes = formatIndexes(state.failedIndexes)
  }
  return { status, release, isCapped }
}

type Counters = { readonly succeeded: string[]; readonly failed: string[]; readonly indexes: Set<number> }

function count(pod: Pod, { job, outcome }: CountingFacts, { succeeded, failed, indexes }: Counters): void {
  const { uid } = pod.metadata
  const index = indexOf(pod)
  const hasPlace = !isIndexed(job) || (index >= 0 && index < (job.spec.completions ?? 0))
  if (!hasPlace) return
  if (pod.status?.phase === 'Succeeded' && !failed.includes(uid)) {
    if (isIndexed(job)) indexes.add(index)
    else if (!succeeded.includes(uid)) succeeded.push(uid)
    return
  }
  // Of a Job that fails, pods that have not ended count as failed.
  const isLost = outcome !== null && outcome.type !== 'SuccessCriteriaMet'
  if (!isPodFailed(pod, job) && !isLost) return
  if (!failed.includes(uid) && matchFailurePolicy(job.spec.podFailurePolicy, pod).counts) failed.push(uid)
}

function isReleasable(pod: Pod, { job, outcome, state }: CountingFacts): boolean {
  if (job.metadata.deletionTimestamp !== undefined || outcome !== null || pod.status?.phase === 'Succeeded') return true
  return isPodFailed(pod, job) && state.delayed.get(indexOf(pod))?.metadata.uid !== pod.metadata.uid
}

/** Pods without a finalizer cannot be counted twice: their uids make place for numbers. */
export function settle(status: JobStatus, tracked: ReadonlySet<string>): JobStatus {
  const { succeeded = [], failed = [] } = status.uncountedTerminatedPods ?? {}
  const isOpen = (uid: string): boolean => tracked.has(uid)
  const open = { succeeded: succeeded.filter(isOpen), failed: failed.filter(isOpen) }
  return {
    ...status,
    succeeded: (status.succeeded ?? 0) + succeeded.length - open.succeeded.length,
    failed: (status.failed ?? 0) + failed.length - open.failed.length,
    uncountedTerminatedPods: open,
  }
}
