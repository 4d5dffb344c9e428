/** Failures that are counted for each index of a Job by itself. */
import type { Job } from '#api/batch/v1.gen.ts'
import type { Pod } from '#api/core/v1.gen.ts'
import { isPodActive } from '../pods/pod-state.ts'
import { remainingBackoffMs } from './backoff.ts'
import { matchFailurePolicy } from './failure-policy.ts'
import { finishedAt, INDEX_FAILURES_KEY, INDEX_IGNORED_FAILURES_KEY, indexOf, isPodFailed } from './pod-facts.ts'

const countOf = ({ metadata }: Pod, key: string): number => Number(metadata.annotations?.[key] ?? 0)

/** The index has used up its failures, or its policy gives it up. */
export function isIndexFailed(pod: Pod, job: Job): boolean {
  if (!isPodFailed(pod, job)) return false
  const { action, counts } = matchFailurePolicy(job.spec.podFailurePolicy, pod)
  if (action === 'FailIndex') return true
  return counts && countOf(pod, INDEX_FAILURES_KEY) >= (job.spec.backoffLimitPerIndex ?? 0)
}

/** The last failed pod of each index that is to be tried again and has no pod. */
export function delayedPods(
  job: Job,
  tracked: readonly Pod[],
  pods: readonly Pod[],
  isDone: (index: number) => boolean,
): Map<number, Pod> {
  const busy = new Set(pods.filter(isPodActive).map(indexOf))
  const delayed = new Map<number, Pod>()
  for (const pod of tracked) {
    const index = indexOf(pod)
    if (!isPodFailed(pod, job) || busy.has(index) || isDone(index)) continue
    const other = delayed.get(index)
    if (other === undefined || failuresOf(other) < failuresOf(pod)) delayed.set(index, pod)
  }
  return delayed
}

const failuresOf = (pod: Pod): number => countOf(pod, INDEX_FAILURES_KEY) + countOf(pod, INDEX_IGNORED_FAILURES_KEY)

/** Annotations of the pod that takes the place of `failed`. */
export function failureAnnotations({ spec }: Job, failed: Pod | undefined): Record<string, string> {
  if (spec.backoffLimitPerIndex === undefined) return {}
  if (failed === undefined) return { [INDEX_FAILURES_KEY]: '0' }
  const { counts } = matchFailurePolicy(spec.podFailurePolicy, failed)
  const ignored = countOf(failed, INDEX_IGNORED_FAILURES_KEY) + (counts ? 0 : 1)
  return {
    [INDEX_FAILURES_KEY]: String(countOf(failed, INDEX_FAILURES_KEY) + (counts ? 1 : 0)),
    ...(ignored === 0 ? {} : { [INDEX_IGNORED_FAILURES_KEY]: String(ignored) }),
  }
}

export function indexBackoffMs(failed: Pod | undefined, nowMs: number): number {
  if (failed === undefined) return 0
  return remainingBackoffMs({ failures: failuresOf(failed) + 1, lastFailureAt: finishedAt(failed) }, nowMs)
}
