/** Runs the pods of each Job until enough of them have succeeded, or too many have failed. */
import type { Job, JobStatus } from '#api/batch/v1.gen.ts'
import type { Pod } from '#api/core/v1.gen.ts'
import { JOBS } from '#api/resources.gen.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import type { Clock } from '#base/clock.ts'
import type { Client } from '#client/client.ts'
import type { EventRecorder } from '#client/event-recorder.ts'
import { keyOf, type Informer } from '#client/informer.ts'
import type { Controller, ControllerContext, Enqueue, Result } from '../controller.ts'
import { controllerOf, formatTime, referenceTo } from '../object-key.ts'
import { NO_BACKOFF, nextBackoff, remainingBackoffMs, type Backoff } from './backoff.ts'
import { isJobFinished, trueCondition, withCondition, type Outcome } from './conditions.ts'
import { planCounting, settle } from './counting.ts'
import { JobPods, type PodCounts } from './job-pods.ts'
import { planPods } from './manage.ts'
import { deadlineMs, isComplete, observeJob, type JobState } from './plan.ts'
import { hasTracking } from './pod-facts.ts'

/** Jobs with another manager are none of this controller's business. */
const MANAGER = 'kubernetes.io/job-controller'
const ORPHAN = 'orphan/'
const REACHED: Outcome = {
  type: 'SuccessCriteriaMet',
  reason: 'CompletionsReached',
  message: 'Reached expected number of succeeded pods',
}

type Round = {
  readonly key: string
  readonly job: Job
  readonly pods: readonly Pod[]
  readonly state: JobState
  readonly backoff: Backoff
  readonly signal: AbortSignal
}
type Step = PodCounts & {
  readonly outcome: Outcome | null
  readonly isManaged: boolean
  readonly error: unknown
  readonly waitMs: number
}

export class JobController implements Controller {
  readonly name = 'job-controller'
  readonly workers = 5
  readonly #client: Client
  readonly #clock: Clock
  readonly #events: EventRecorder
  readonly #jobs: Informer<Job>
  readonly #pods: JobPods
  readonly #backoffs = new Map<string, Backoff>()
  /** Jobs as written here, until the informer shows them: counting twice would be worse than waiting. */
  readonly #written = new Map<string, Job>()

  constructor(context: ControllerContext) {
    this.#client = context.client
    this.#clock = context.clock
    this.#events = context.events
    this.#jobs = context.informers.informer(JOBS)
    this.#pods = new JobPods(context)
  }

  watch(enqueue: Enqueue): void {
    const onJob = (job: Job): void => enqueue(keyOf(job))
    this.#jobs.addHandler({
      added: onJob,
      updated: onJob,
      deleted: (job) => {
        for (const pod of this.#pods.of(job)) if (hasTracking(pod)) enqueue(ORPHAN + keyOf(pod))
        onJob(job)
      },
    })
    this.#pods.watch(enqueue, (pod) => {
      if (this.#isOrphan(pod)) enqueue(ORPHAN + keyOf(pod))
    })
  }

  /** Nobody counts the pod any more, so nobody else would take its finalizer away. */
  #isOrphan(pod: Pod): boolean {
    if (!hasTracking(pod)) return false
    const owner = controllerOf(pod)
    return (
      owner?.kind !== 'Job' || this.#jobs.get(`${pod.metadata.namespace}/${owner.name}`)?.metadata.uid !== owner.uid
    )
  }

  async reconcile(key: string, signal: AbortSignal): Promise<Result> {
    if (key.startsWith(ORPHAN)) {
      const pod = this.#pods.get(key.slice(ORPHAN.length))
      if (pod !== undefined && this.#isOrphan(pod)) await this.#pods.release(pod, signal)
      return {}
    }
    const job = this.#current(key)
    if (job === undefined || isJobFinished(job)) {
      this.#forget(key, job)
      return {}
    }
    if (job.spec.managedBy !== undefined && job.spec.managedBy !== MANAGER) return {}
    return this.#sync(key, job, signal)
  }

  async #sync(key: string, job: Job, signal: AbortSignal): Promise<Result> {
    const isCurrent = this.#pods.isCurrent(key)
    const pods = await this.#pods.claim(job, signal)
    const state = observeJob({ job, pods, counted: this.#pods.counted, nowMs: this.#clock.now() })
    const backoff = nextBackoff(this.#backoffs.get(key) ?? NO_BACKOFF, state.newlySucceeded, state.newlyFailed)
    const round = { key, job, pods, state, backoff, signal }
    const step = state.outcome === null ? await this.#manage(round, isCurrent) : await this.#end(round, isCurrent)
    await this.#writeStatus(round, step)
    if (step.error !== undefined) throw step.error
    const deadline = deadlineMs(this.#current(key) ?? job)
    const waits = [step.waitMs, deadline === null ? 0 : Math.max(1, deadline - this.#clock.now())].filter(
      (ms) => ms > 0,
    )
    return waits.length === 0 ? {} : { requeueAfterMs: Math.min(...waits) }
  }

  /** The Job's fate is decided: what still runs is deleted. */
  async #end({ job, key, state, signal }: Round, isCurrent: boolean): Promise<Step> {
    const { counts, error } = await this.#pods.delete({ key, job, pods: state.active, state, releases: false }, signal)
    const outcome = counts.active === 0 && isCurrent ? state.outcome : null
    return { ...counts, outcome, isManaged: false, error, waitMs: 0 }
  }

  async #manage(round: Round, isCurrent: boolean): Promise<Step> {
    const { key, job, pods, state, backoff, signal } = round
    const isManaged = isCurrent && job.metadata.deletionTimestamp === undefined
    let counts: PodCounts = { active: state.active.length, ready: state.ready, terminating: state.terminating }
    let [error, waitMs]: [unknown, number] = [undefined, 0]
    if (isManaged) {
      const nowMs = this.#clock.now()
      const plan = planPods(job, pods, state, { backoffMs: remainingBackoffMs(backoff, nowMs), nowMs })
      waitMs = plan.waitMs
      if (plan.delete.length > 0)
        ({ counts, error } = await this.#pods.delete({ key, job, pods: plan.delete, state, releases: true }, signal))
      else if (plan.create.length > 0)
        ({ counts, error } = await this.#pods.create({ key, job, indexes: plan.create, state }, signal))
    }
    const outcome = isComplete(job, state.succeeded, counts.active) ? REACHED : null
    return { ...counts, outcome, isManaged, error, waitMs }
  }

  async #writeStatus(round: Round, step: Step): Promise<void> {
    const { key, job, pods, state, backoff, signal } = round
    const { outcome, active, ready, terminating } = step
    const base = { ...this.#beginning(job, step), active, ready, terminating }
    const counted = this.#pods.counted
    const plan = planCounting({ job, status: base, pods, state, counted, outcome })
    let status = plan.status
    if (outcome !== null) status = this.#withCondition(status, { ...outcome, status: 'True' })
    let current = await this.#write(job, status, signal)
    this.#backoffs.set(key, backoff)
    await Promise.all(plan.release.map((pod) => this.#pods.release(pod, signal)))
    const tracked = pods.filter((pod) => hasTracking(pod) && !counted.has(pod.metadata.uid))
    status = settle(status, new Set(tracked.map(({ metadata }) => metadata.uid)))
    const open = status.uncountedTerminatedPods
    const isDone =
      outcome !== null && !plan.isCapped && terminating === 0 && !open?.failed?.length && !open?.succeeded?.length
    if (isDone) status = this.#finished(status, outcome)
    current = await this.#write(current, status, signal)
    if (isDone) this.#tellEnd(current, outcome)
  }

  /** Start time and suspension. */
  #beginning(job: Job, { outcome, isManaged }: Step): JobStatus {
    const now = formatTime(this.#clock.now())
    const isSuspended = job.spec.suspend === true
    const status: JobStatus = { ...job.status }
    if (status.startTime === undefined && !isSuspended) status.startTime = now
    if (!isManaged || outcome !== null) return status
    const wasSuspended = trueCondition(job, 'Suspended') !== undefined
    if (wasSuspended === isSuspended) return status
    const [reason, message] = isSuspended ? ['JobSuspended', 'Job suspended'] : ['JobResumed', 'Job resumed']
    this.#events.event(referenceTo(JOBS, job), 'Normal', isSuspended ? 'Suspended' : 'Resumed', message!)
    if (isSuspended) delete status.startTime
    else status.startTime = now
    return this.#withCondition(status, {
      type: 'Suspended',
      status: isSuspended ? 'True' : 'False',
      reason: reason!,
      message: message!,
    })
  }

  #finished(status: JobStatus, { type, reason, message }: Outcome): JobStatus {
    const isComplete = type === 'SuccessCriteriaMet'
    const ended = this.#withCondition(status, {
      type: isComplete ? 'Complete' : 'Failed',
      status: 'True',
      reason,
      message,
    })
    return isComplete ? { ...ended, completionTime: formatTime(this.#clock.now()) } : ended
  }

  #withCondition(status: JobStatus, condition: Parameters<typeof withCondition>[1]): JobStatus {
    return { ...status, conditions: [...withCondition(status.conditions ?? [], condition, this.#clock.now())] }
  }

  #tellEnd(job: Job, { type, reason, message }: Outcome): void {
    const about = referenceTo(JOBS, job)
    if (type === 'FailureTarget') return this.#events.event(about, 'Warning', reason, message)
    if (job.spec.completions !== undefined && (job.status?.succeeded ?? 0) > job.spec.completions) {
      const text = 'Too many succeeded pods running after completion count reached'
      this.#events.event(about, 'Warning', 'TooManySucceededPods', text)
    }
    this.#events.event(about, 'Normal', 'Completed', 'Job completed')
  }

  async #write(job: Job, status: JobStatus, signal: AbortSignal): Promise<Job> {
    if (isSemanticallyEqual(normalize(job.status), normalize(status))) return job
    const key = keyOf(job)
    try {
      const written = await this.#client.updateStatus<Job>(JOBS, { ...job, status }, signal)
      this.#written.set(key, written)
      return written
    } catch (error) {
      this.#written.delete(key)
      throw error
    }
  }

  #current(key: string): Job | undefined {
    const [shown, written] = [this.#jobs.get(key), this.#written.get(key)]
    if (written === undefined) return shown
    const isBehind =
      shown !== undefined &&
      shown.metadata.uid === written.metadata.uid &&
      Number(shown.metadata.resourceVersion) < Number(written.metadata.resourceVersion)
    if (isBehind) return written
    this.#written.delete(key)
    return shown
  }

  #forget(key: string, job: Job | undefined): void {
    this.#backoffs.delete(key)
    if (job === undefined) this.#pods.forget(key)
  }
}

/** Counters that are absent are zero; whoever shows nothing has nothing. */
function normalize(status: JobStatus = {}): JobStatus {
  const { succeeded = [], failed = [] } = status.uncountedTerminatedPods ?? {}
  return {
    ...status,
    active: status.active ?? 0,
    succeeded: status.succeeded ?? 0,
    failed: status.failed ?? 0,
    completedIndexes: status.completedIndexes ?? '',
    uncountedTerminatedPods: { succeeded, failed },
  }
}
