/** Decides, without any I/O, which run of a CronJob is due, when to look again, and which ended Jobs are too many. */
import type { Schedule } from '#api/batch/cron-job/schedule.ts'
import type { CronJob, Job } from '#api/batch/v1.gen.ts'
import { CRONJOBS } from '#api/resources.gen.ts'
import type { Draft } from '#machinery/meta/template.ts'
import { trueCondition } from '../job/conditions.ts'
import { controllerReference } from '../object-key.ts'
import { nextTime } from './next-time.ts'
import { formatInZone } from './wall-clock.ts'

const SCHEDULED_AT_ANNOTATION = 'batch.kubernetes.io/cronjob-scheduled-timestamp'
/** The API server's clock may be a little behind. */
const WAKE_DELAY_MS = 100
/** With more, something is wrong with a clock or the controller was away for long: the user hears of it. */
const MISSED_TIMES_MAX = 100

export type Times = {
  readonly cronJob: CronJob
  readonly schedule: Schedule
  /** Of a schedule whose CronJob names none. */
  readonly timeZone: string
  readonly nowMs: number
}

/** `atMs` null: nothing is due. `missed` counts the due times since the last run, with the one at `atMs`. */
type Due = { readonly earliestMs: number; readonly atMs: number | null; readonly missed: number }

/** Due times that are no times apart are no schedule. */
export class InvalidScheduleError extends Error {}

/** The latest due time that has no Job yet. Throws an InvalidScheduleError. */
export function planDue({ cronJob, schedule, timeZone, nowMs }: Times, options: { usesDeadline: boolean }): Due {
  const { metadata, spec, status } = cronJob
  const next = (afterMs: number): number => {
    const at = nextTime(schedule, timeZone, afterMs)
    if (at === null) throw new InvalidScheduleError('time difference between two schedules is less than 1 second')
    return at
  }
  let earliestMs = Date.parse(status?.lastScheduleTime ?? metadata.creationTimestamp)
  if (options.usesDeadline && spec.startingDeadlineSeconds !== undefined)
    earliestMs = Math.max(earliestMs, nowMs - spec.startingDeadlineSeconds * 1000)
  const first = next(earliestMs)
  if (nowMs < first) return { earliestMs, atMs: null, missed: 0 }
  const second = next(first)
  if (nowMs < second) return { earliestMs, atMs: first, missed: 0 }
  // Counted by the first interval, not one by one: years may have passed.
  const intervalMs = second - first
  const missed = Math.floor((nowMs - first) / intervalMs) + 1
  let atMs: number | null = null
  for (let at = next(first + (missed - 2) * intervalMs); at <= nowMs; at = next(at)) atMs = at
  return { earliestMs, atMs, missed }
}

export function isTooMany({ missed }: Due): boolean {
  return missed > MISSED_TIMES_MAX
}

/** Milliseconds until the time after the latest one; the deadline for starting plays no part. */
export function planWaitMs(times: Times): number {
  const { schedule, timeZone, nowMs } = times
  const next = nextTime(schedule, timeZone, latestMs(times))
  // A schedule that names no time needs no further look before it is changed.
  return next === null ? Number.POSITIVE_INFINITY : Math.max(0, next + WAKE_DELAY_MS - nowMs)
}

function latestMs(times: Times): number {
  try {
    const { atMs, earliestMs, missed } = planDue(times, { usesDeadline: false })
    return atMs ?? (missed === 0 ? earliestMs : times.nowMs)
  } catch (error) {
    if (error instanceof InvalidScheduleError) return times.nowMs
    throw error
  }
}

/** One name per due time: the name is the lock against a second run. */
export function jobNameAt({ metadata }: CronJob, atMs: number): string {
  return `${metadata.name}-${Math.floor(atMs / 60_000)}`
}

export function jobAt(cronJob: CronJob, atMs: number): Draft<Job> {
  const { metadata, spec } = cronJob
  const { metadata: template, spec: jobSpec } = spec.jobTemplate
  return {
    metadata: {
      name: jobNameAt(cronJob, atMs),
      namespace: metadata.namespace!,
      labels: { ...template?.labels },
      annotations: { ...template?.annotations, [SCHEDULED_AT_ANNOTATION]: formatInZone(spec.timeZone ?? 'UTC', atMs) },
      ownerReferences: [controllerReference(CRONJOBS, cronJob)],
    },
    spec: jobSpec!,
  }
}

/** Ended Jobs beyond the limits of the history, the oldest. */
export function planHistory({ spec }: CronJob, jobs: readonly Job[]): Job[] {
  const oldest = (type: string, limit: number | undefined): Job[] => {
    if (limit === undefined) return []
    const ended = jobs.filter((job) => endOf(job) === type).toSorted(byStart)
    return ended.slice(0, Math.max(0, ended.length - limit))
  }
  return [...oldest('Complete', spec.successfulJobsHistoryLimit), ...oldest('Failed', spec.failedJobsHistoryLimit)]
}

/** How the Job has ended; null while it runs. */
export function endOf(job: Job): 'Complete' | 'Failed' | null {
  if (trueCondition(job, 'Complete') !== undefined) return 'Complete'
  return trueCondition(job, 'Failed') === undefined ? null : 'Failed'
}

/** Jobs that never started come last. */
function byStart(left: Job, right: Job): number {
  const [a, b] = [left, right].map(({ status }) => Date.parse(status?.startTime ?? '') || Number.MAX_SAFE_INTEGER)
  return a! - b! || (left.metadata.name < right.metadata.name ? -1 : 1)
}
