/** Decides, without any I/O, how a Job stands: what its pods have come to, whether it ends, and how many pods it wants. */
import type { Job } from '#api/batch/v1.gen.ts'
import type { Pod } from '#api/core/v1.gen.ts'
import { parseIndexes, type IndexRange } from '#api/batch/job/indexes.ts'
import { isPodActive, isPodReady, isPodTerminal } from '../pods/pod-state.ts'
import { trueCondition, type Outcome } from './conditions.ts'
import { matchFailurePolicy } from './failure-policy.ts'
import { readIndexes } from './indexes.ts'
import { delayedPods, isIndexFailed } from './index-failures.ts'
import { hasTracking, indexOf, isIndexed, isPodFailed } from './pod-facts.ts'

export type JobFacts = {
  readonly job: Job
  readonly pods: readonly Pod[]
  /** Pods whose finalizer was taken away, though the informer does not show it yet. */
  readonly counted: ReadonlySet<string>
  readonly nowMs: number
}

export type JobState = {
  readonly active: readonly Pod[]
  readonly ready: number
  readonly terminating: number
  /** Pods that ended and are in no counter yet. */
  readonly newlySucceeded: readonly Pod[]
  readonly newlyFailed: readonly Pod[]
  readonly succeeded: number
  readonly failed: number
  readonly previousIndexes: ReadonlySet<number>
  readonly succeededIndexes: ReadonlySet<number>
  /** Null unless failures are limited per index. */
  readonly failedIndexes: ReadonlySet<number> | null
  /** Failed pods by index that stay until their replacement is there, which inherits their count. */
  readonly delayed: ReadonlyMap<number, Pod>
  readonly outcome: Outcome | null
}

export function observeJob(facts: JobFacts): JobState {
  const { job, pods, counted } = facts
  const { status, spec } = job
  const uncounted = status?.uncountedTerminatedPods
  const known = new Set([...(uncounted?.succeeded ?? []), ...(uncounted?.failed ?? [])])
  const completions = spec.completions ?? 0
  const fresh = pods.filter(
    (pod) =>
      hasTracking(pod) &&
      !counted.has(pod.metadata.uid) &&
      !known.has(pod.metadata.uid) &&
      (!isIndexed(job) || (indexOf(pod) >= 0 && indexOf(pod) < completions)),
  )
  const newlySucceeded = fresh.filter((pod) => pod.status?.phase === 'Succeeded')
  const newlyFailed = fresh.filter((pod) => isPodFailed(pod, job))
  const active = pods.filter(isPodActive)
  const indexes = indexesOf(facts)
  const state = {
    active,
    ready: active.filter(isPodReady).length,
    terminating: pods.filter((pod) => pod.metadata.deletionTimestamp !== undefined && !isPodTerminal(pod)).length,
    newlySucceeded,
    newlyFailed,
    succeeded: isIndexed(job)
      ? indexes.succeededIndexes.size
      : (status?.succeeded ?? 0) + newlySucceeded.length + (uncounted?.succeeded?.length ?? 0),
    failed:
      (status?.failed ?? 0) +
      newlyFailed.filter((pod) => matchFailurePolicy(spec.podFailurePolicy, pod).counts).length +
      (uncounted?.failed?.length ?? 0),
    ...indexes,
  }
  return { ...state, outcome: outcomeOf(facts, state) }
}

type Indexes = Pick<JobState, 'previousIndexes' | 'succeededIndexes' | 'failedIndexes' | 'delayed'>

function indexesOf({ job, pods, counted }: JobFacts): Indexes {
  const none = new Set<number>()
  if (!isIndexed(job)) return { previousIndexes: none, succeededIndexes: none, failedIndexes: null, delayed: new Map() }
  const completions = job.spec.completions ?? 0
  const previousIndexes = readIndexes(job.status?.completedIndexes, completions)
  const tracked = pods.filter((pod) => hasTracking(pod) && indexOf(pod) >= 0 && indexOf(pod) < completions)
  const succeeded = tracked.filter((pod) => pod.status?.phase === 'Succeeded').map(indexOf)
  const succeededIndexes = new Set([...previousIndexes, ...succeeded])
  if (job.spec.backoffLimitPerIndex === undefined)
    return { previousIndexes, succeededIndexes, failedIndexes: null, delayed: new Map() }
  const failed = tracked.filter((pod) => isIndexFailed(pod, job)).map(indexOf)
  const failedIndexes = new Set([...readIndexes(job.status?.failedIndexes, completions), ...failed])
  const uncounted = tracked.filter(({ metadata }) => !counted.has(metadata.uid))
  return {
    previousIndexes,
    succeededIndexes,
    failedIndexes,
    delayed: delayedPods(job, uncounted, pods, (index) => succeededIndexes.has(index) || failedIndexes.has(index)),
  }
}

type Counts = Omit<JobState, 'outcome'>

function outcomeOf({ job, pods, nowMs }: JobFacts, counts: Counts): Outcome | null {
  for (const type of ['SuccessCriteriaMet', 'FailureTarget'] as const) {
    const earlier = trueCondition(job, type)
    if (earlier !== undefined) return { type, reason: earlier.reason ?? '', message: earlier.message ?? '' }
  }
  return policyFailure(job, pods) ?? limitFailure(job, pods, counts, nowMs) ?? indexOutcome(job, counts)
}

const failure = (reason: string, message: string): Outcome => ({ type: 'FailureTarget', reason, message })

function policyFailure(job: Job, pods: readonly Pod[]): Outcome | null {
  const { podFailurePolicy } = job.spec
  if (podFailurePolicy === undefined) return null
  for (const pod of pods) {
    if (!isPodFailed(pod, job)) continue
    const { action, message } = matchFailurePolicy(podFailurePolicy, pod)
    if (action === 'FailJob') return failure('PodFailurePolicy', message)
  }
  return null
}

function limitFailure(job: Job, pods: readonly Pod[], { failed }: Counts, nowMs: number): Outcome | null {
  const limit = job.spec.backoffLimit ?? 6
  if (failed > limit || isPastRestarts(job, pods, limit))
    return failure('BackoffLimitExceeded', 'Job has reached the specified backoff limit')
  const deadline = deadlineMs(job)
  return deadline !== null && nowMs >= deadline
    ? failure('DeadlineExceeded', 'Job was active longer than specified deadline')
    : null
}

/** When the Job has been active for too long; null without a limit. */
export function deadlineMs({ spec, status }: Job): number | null {
  if (spec.activeDeadlineSeconds === undefined || status?.startTime === undefined || spec.suspend === true) return null
  return Date.parse(status.startTime) + spec.activeDeadlineSeconds * 1000
}

/** Containers that restart in place count as failures too. */
function isPastRestarts({ spec }: Job, pods: readonly Pod[], limit: number): boolean {
  if (spec.template.spec?.restartPolicy !== 'OnFailure') return false
  let restarts = 0
  for (const { status } of pods)
    if (status?.phase === 'Running' || status?.phase === 'Pending')
      for (const container of [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])])
        restarts += container.restartCount
  return limit === 0 ? restarts > 0 : restarts >= limit
}

function indexOutcome({ spec }: Job, { failedIndexes, succeededIndexes }: Counts): Outcome | null {
  const completions = spec.completions ?? 0
  const failed = failedIndexes?.size ?? 0
  if (spec.maxFailedIndexes !== undefined && failed > spec.maxFailedIndexes)
    return failure('MaxFailedIndexesExceeded', 'Job has exceeded the specified maximal number of failed indexes')
  if (failed > 0 && failed + succeededIndexes.size >= completions)
    return failure('FailedIndexes', 'Job has failed indexes')
  for (const [number, rule] of (spec.successPolicy?.rules ?? []).entries())
    if (isRuleMet(parseIndexes(rule.succeededIndexes ?? '', completions), rule.succeededCount, succeededIndexes))
      return { type: 'SuccessCriteriaMet', reason: 'SuccessPolicy', message: `Matched rules at index ${number}` }
  return null
}

function isRuleMet(ranges: readonly IndexRange[], count: number | undefined, succeeded: ReadonlySet<number>): boolean {
  if (ranges.length === 0) return succeeded.size >= (count ?? Infinity)
  const isInRange = (index: number): boolean => ranges.some(({ first, last }) => index >= first && index <= last)
  const met = [...succeeded].filter(isInRange).length
  return met >= (count ?? ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0))
}

/** All completions are there and no pod runs any more. */
export function isComplete({ spec }: Job, succeeded: number, active: number): boolean {
  if (active > 0) return false
  return spec.completions === undefined ? succeeded > 0 : succeeded >= spec.completions
}
