/** Creates the Jobs of each CronJob when its schedule says so, and clears away those that have ended. */
import { parseSchedule, ScheduleError, type Schedule } from '#api/batch/cron-job/schedule.ts'
import { isKnownTimeZone } from '#api/batch/cron-job/time-zone.ts'
import type { CronJob, CronJobStatus, Job } from '#api/batch/v1.gen.ts'
import { CRONJOBS, JOBS } from '#api/resources.gen.ts'
import type { Clock } from '#base/clock.ts'
import type { Client } from '#client/client.ts'
import type { EventRecorder } from '#client/event-recorder.ts'
import { keyOf, type Informer } from '#client/informer.ts'
import { isNamespaceTerminating } from '#client/namespace-terminating.ts'
import { isAlreadyExists, isNotFound } from '#machinery/status-error.ts'
import type { Controller, ControllerContext, Enqueue, Result } from '../controller.ts'
import { controllerKeyOf, controllerOf, formatTime, referenceTo } from '../object-key.ts'
import { indexByController, onDependentChange } from '../on-change.ts'
import { isSameStatus } from '../status.ts'
import {
  endOf,
  InvalidScheduleError,
  isTooMany,
  jobAt,
  jobNameAt,
  planDue,
  planHistory,
  planWaitMs,
  type Times,
} from './plan.ts'

const BY_CONTROLLER = 'cronjob/controller'

/** One look at a CronJob; `status` is what will be written at its end. */
type Round = { cronJob: CronJob; status: CronJobStatus; readonly signal: AbortSignal }

export class CronJobController implements Controller {
  readonly name = 'cronjob-controller'
  readonly workers = 5
  readonly #client: Client
  readonly #clock: Clock
  readonly #events: EventRecorder
  readonly #cronJobs: Informer<CronJob>
  readonly #jobs: Informer<Job>
  /** Schedules without a zone follow the clock of the controller's machine, as upstream's do. */
  readonly #timeZone = new Intl.DateTimeFormat().resolvedOptions().timeZone

  constructor({ client, clock, events, informers }: ControllerContext) {
    this.#client = client
    this.#clock = clock
    this.#events = events
    this.#cronJobs = informers.informer(CRONJOBS)
    this.#jobs = informers.informer(JOBS)
  }

  watch(enqueue: Enqueue): void {
    const onCronJob = (cronJob: CronJob): void => enqueue(keyOf(cronJob))
    this.#cronJobs.addHandler({
      added: onCronJob,
      updated: (cronJob, old) => {
        const isSameTime = cronJob.spec.schedule === old.spec.schedule && cronJob.spec.timeZone === old.spec.timeZone
        if (isSameTime) onCronJob(cronJob)
        else this.#rescheduled(cronJob, enqueue)
      },
    })
    indexByController(this.#jobs, BY_CONTROLLER)
    onDependentChange(this.#jobs, (job) => {
      const key = controllerKeyOf(job, 'CronJob')
      if (key !== null) enqueue(key)
    })
  }

  #rescheduled(cronJob: CronJob, enqueue: Enqueue): void {
    try {
      const waitMs = planWaitMs(this.#timesOf(cronJob, parseSchedule(cronJob.spec.schedule)))
      if (Number.isFinite(waitMs)) enqueue(keyOf(cronJob), waitMs)
    } catch (error) {
      if (!(error instanceof ScheduleError)) throw error
      const message = `unparseable schedule for cronjob: ${cronJob.spec.schedule}`
      this.#tell(cronJob, 'Warning', 'UnParseableCronJobSchedule', message)
    }
  }

  #timesOf(cronJob: CronJob, schedule: Schedule): Times {
    return { cronJob, schedule, timeZone: cronJob.spec.timeZone ?? this.#timeZone, nowMs: this.#clock.now() }
  }

  async reconcile(key: string, signal: AbortSignal): Promise<Result> {
    const cronJob = this.#cronJobs.get(key)
    if (cronJob === undefined) return {} // Deleted: its Jobs now belong to the garbage collector.
    const round: Round = { cronJob, status: { ...cronJob.status }, signal }
    const jobs = this.#jobs.byIndex(BY_CONTROLLER, cronJob.metadata.uid)
    for (const job of planHistory(cronJob, jobs)) await this.#deleteJob(round, job)
    let waitMs: number
    try {
      await this.#observe(round, jobs)
      waitMs = cronJob.metadata.deletionTimestamp === undefined ? await this.#start(round) : Number.POSITIVE_INFINITY
    } catch (error) {
      // What was done before the failure is done; the failure itself is what is told.
      const second = await this.#writeStatus(round).then(
        () => null,
        (failure: unknown) => failure,
      )
      if (second !== null) throw new AggregateError([error, second], String(error), { cause: error })
      throw error
    }
    await this.#writeStatus(round)
    return Number.isFinite(waitMs) ? { requeueAfterMs: waitMs } : {}
  }

  async #writeStatus({ cronJob, status, signal }: Round): Promise<void> {
    if (!signal.aborted && !isSameStatus(status, cronJob.status))
      await this.#client.updateStatus<CronJob>(CRONJOBS, { ...cronJob, status }, signal)
  }

  /** Brings the list of active Jobs to what is. */
  async #observe(round: Round, jobs: readonly Job[]): Promise<void> {
    for (const job of jobs) {
      const { uid, name } = job.metadata
      const end = endOf(job)
      if (end === null) {
        if (!isActive(round.status, uid) && !(await this.#isActiveAtServer(round, uid)))
          this.#tell(
            round.cronJob,
            'Warning',
            'UnexpectedJob',
            `Saw a job that the controller did not create or forgot: ${name}`,
          )
        continue
      }
      if (isActive(round.status, uid)) {
        round.status = withoutActive(round.status, uid)
        this.#tell(round.cronJob, 'Normal', 'SawCompletedJob', `Saw completed job: ${name}, condition: ${end}`)
      }
      const { completionTime } = job.status ?? {}
      if (
        end === 'Complete' &&
        completionTime !== undefined &&
        completionTime > (round.status.lastSuccessfulTime ?? '')
      )
        round.status = { ...round.status, lastSuccessfulTime: completionTime }
    }
    const known = new Set(jobs.map(({ metadata }) => metadata.uid))
    for (const { uid = '', name = '' } of round.status.active ?? [])
      if (!known.has(uid) && (await this.#getJob(round, name)) === null) {
        this.#tell(round.cronJob, 'Normal', 'MissingJob', `Active job went missing: ${name}`)
        round.status = withoutActive(round.status, uid)
      }
  }

  /** The informer may not show yet what was written when the Job was created. */
  async #isActiveAtServer(round: Round, uid: string): Promise<boolean> {
    const { namespace = '', name } = round.cronJob.metadata
    const live = await this.#client.get<CronJob>(CRONJOBS, namespace, name, round.signal)
    if (!isActive(live.status ?? {}, uid)) return false
    round.cronJob = live
    round.status = { ...live.status }
    return true
  }

  /** Starts the run that is due, if one is; answers when to look again. */
  async #start(round: Round): Promise<number> {
    const { cronJob } = round
    const schedule = this.#scheduleOf(cronJob)
    if (schedule === null) return Number.POSITIVE_INFINITY
    const times = this.#timesOf(cronJob, schedule)
    const atMs = this.#dueMs(times)
    if (atMs === undefined) return Number.POSITIVE_INFINITY
    if (atMs === null || !this.#mayStart(round, times, atMs)) return planWaitMs(times)
    if (cronJob.spec.concurrencyPolicy === 'Replace') await this.#replaceActive(round)
    const job = await this.#createJob(round, atMs)
    if (job === null) return Number.POSITIVE_INFINITY
    round.status = {
      ...round.status,
      active: [...(round.status.active ?? []), referenceTo(JOBS, job)],
      lastScheduleTime: formatTime(atMs),
    }
    return planWaitMs({ ...times, cronJob: { ...cronJob, status: round.status } })
  }

  /** Null: nothing can be started before the CronJob is changed. */
  #scheduleOf(cronJob: CronJob): Schedule | null {
    const { schedule, suspend, timeZone } = cronJob.spec
    if (timeZone !== undefined && !isKnownTimeZone(timeZone)) {
      const message = `invalid timeZone: ${JSON.stringify(timeZone)}: unknown time zone ${timeZone}`
      this.#tell(cronJob, 'Warning', 'UnknownTimeZone', message)
      return null
    }
    if (suspend === true) return null
    if (schedule.includes('TZ')) {
      const link = 'https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/'
      const message = `CRON_TZ or TZ used in schedule ${JSON.stringify(schedule)} is not officially supported, see ${link} for more details`
      this.#tell(cronJob, 'Warning', 'UnsupportedSchedule', message)
    }
    try {
      return parseSchedule(schedule)
    } catch (error) {
      if (!(error instanceof ScheduleError)) throw error
      const message = `unparseable schedule: ${JSON.stringify(schedule)} : ${error.message}`
      this.#tell(cronJob, 'Warning', 'UnparseableSchedule', message)
      return null
    }
  }

  /** Null: nothing is due yet. Undefined: nothing ever will be. */
  #dueMs(times: Times): number | null | undefined {
    const { cronJob } = times
    try {
      const due = planDue(times, { usesDeadline: true })
      if (due.atMs !== null && isTooMany(due))
        this.#tell(
          cronJob,
          'Warning',
          'TooManyMissedTimes',
          'too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew',
        )
      return due.atMs
    } catch (error) {
      if (!(error instanceof InvalidScheduleError)) throw error
      const message = `invalid schedule: ${cronJob.spec.schedule} : ${error.message}`
      this.#tell(cronJob, 'Warning', 'InvalidSchedule', message)
      return undefined
    }
  }

  #mayStart({ cronJob, status }: Round, { nowMs }: Times, atMs: number): boolean {
    const { startingDeadlineSeconds, concurrencyPolicy } = cronJob.spec
    if (startingDeadlineSeconds !== undefined && atMs + startingDeadlineSeconds * 1000 < nowMs) {
      const time = new Date(atMs).toUTCString().replace('GMT', '+0000')
      this.#tell(cronJob, 'Warning', 'MissSchedule', `Missed scheduled time to start a job: ${time}`)
      return false
    }
    const active = status.active ?? []
    const isStarted = active.some(({ name }) => name === jobNameAt(cronJob, atMs))
    if (isStarted || status.lastScheduleTime === formatTime(atMs)) return false
    if (concurrencyPolicy !== 'Forbid' || active.length === 0) return true
    const message = 'Not starting job because prior execution is running and concurrency policy is Forbid'
    this.#tell(cronJob, 'Normal', 'JobAlreadyActive', message)
    return false
  }

  async #replaceActive(round: Round): Promise<void> {
    const { namespace = '' } = round.cronJob.metadata
    for (const { name = '' } of round.status.active ?? []) {
      const job = await this.#client.get<Job>(JOBS, namespace, name, round.signal).catch((error: unknown) => {
        if (!round.signal.aborted)
          this.#tell(round.cronJob, 'Warning', 'FailedGet', `Get job: ${(error as Error).message}`)
        throw error
      })
      if (!(await this.#deleteJob(round, job))) throw new Error(`could not replace job ${namespace}/${name}`)
    }
  }

  /** Null: another one's Job has the name, or the run is known already. */
  async #createJob(round: Round, atMs: number): Promise<Job | null> {
    const { cronJob, signal } = round
    try {
      const job = await this.#client.create<Job>(JOBS, jobAt(cronJob, atMs), signal)
      this.#tell(cronJob, 'Normal', 'SuccessfulCreate', `Created job ${job.metadata.name}`)
      return job
    } catch (error) {
      if (isAlreadyExists(error)) {
        // Created here before, and the status could not be written.
        const job = await this.#getJob(round, jobNameAt(cronJob, atMs))
        const isOwn = job !== null && controllerOf(job)?.uid === cronJob.metadata.uid
        return isOwn && !isActive(round.status, job.metadata.uid) ? job : null
      }
      if (!signal.aborted && !isNamespaceTerminating(error))
        this.#tell(cronJob, 'Warning', 'FailedCreate', `Error creating job: ${(error as Error).message}`)
      throw error
    }
  }

  async #getJob({ cronJob, signal }: Round, name: string): Promise<Job | null> {
    try {
      return await this.#client.get<Job>(JOBS, cronJob.metadata.namespace ?? '', name, signal)
    } catch (error) {
      if (isNotFound(error)) return null
      throw error
    }
  }

  async #deleteJob(round: Round, { metadata: { namespace = '', name, uid } }: Job): Promise<boolean> {
    const { cronJob, signal } = round
    try {
      await this.#client.delete(JOBS, namespace, name, { propagationPolicy: 'Background' }, signal)
    } catch (error) {
      if (signal.aborted) throw error
      this.#tell(cronJob, 'Warning', 'FailedDelete', `Deleted job: ${(error as Error).message}`)
      return false
    }
    round.status = withoutActive(round.status, uid)
    this.#tell(cronJob, 'Normal', 'SuccessfulDelete', `Deleted job ${name}`)
    return true
  }

  #tell(cronJob: CronJob, type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#events.event(referenceTo(CRONJOBS, cronJob), type, reason, message)
  }
}

function isActive({ active = [] }: CronJobStatus, uid: string): boolean {
  return active.some((reference) => reference.uid === uid)
}

function withoutActive(status: CronJobStatus, uid: string): CronJobStatus {
  const { active, ...rest } = status
  const left = (active ?? []).filter((reference) => reference.uid !== uid)
  return left.length === 0 ? rest : { ...rest, active: left }
}
