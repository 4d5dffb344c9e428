/** Which run of a CronJob is due, when to look again, and which ended Jobs go. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseSchedule } from '#api/batch/cron-job/schedule.ts'
import type { CronJob, CronJobSpec, CronJobStatus, Job } from '#api/batch/v1.gen.ts'
import { InvalidScheduleError, isTooMany, jobAt, planDue, planHistory, planWaitMs, type Times } from './plan.ts'

const CREATED = '2026-01-01T10:00:30Z'

function times(spec: Partial<CronJobSpec>, now: string, status: CronJobStatus = {}): Times {
  const cronJob: CronJob = {
    metadata: { name: 'c', namespace: 'n', uid: 'u', resourceVersion: '1', creationTimestamp: CREATED },
    spec: { schedule: '0 * * * *', jobTemplate: { spec: { template: {} } }, ...spec },
    status,
  }
  return { cronJob, schedule: parseSchedule(cronJob.spec.schedule), timeZone: 'UTC', nowMs: Date.parse(now) }
}

function due(spec: Partial<CronJobSpec>, now: string, status: CronJobStatus = {}): string | null {
  const { atMs } = planDue(times(spec, now, status), { usesDeadline: true })
  return atMs === null ? null : new Date(atMs).toISOString().slice(0, 19)
}

test('nothing is due before the first time, then the latest time is', () => {
  assert.equal(due({}, '2026-01-01T10:59:59Z'), null)
  assert.equal(due({}, '2026-01-01T11:00:00Z'), '2026-01-01T11:00:00')
  assert.equal(due({}, '2026-01-01T13:59:59Z'), '2026-01-01T13:00:00')
  assert.equal(due({}, '2026-01-01T11:30:00Z', { lastScheduleTime: '2026-01-01T11:00:00Z' }), null)
  assert.equal(due({ schedule: '@every 40m' }, '2026-01-01T12:30:00Z'), '2026-01-01T12:00:30')
})

test('times older than the deadline are not looked at', () => {
  assert.equal(due({ startingDeadlineSeconds: 60 }, '2026-01-01T11:30:00Z'), null)
  assert.equal(due({ startingDeadlineSeconds: 3600 }, '2026-01-01T11:30:00Z'), '2026-01-01T11:00:00')
})

test('an uneven schedule is not overrun', () => {
  const weekdays = { schedule: '30 6-16/4 * * 1-5' }
  assert.equal(due(weekdays, '2026-01-02T15:00:00Z'), '2026-01-02T14:30:00')
  // What upstream's count by the first interval does not find on a Sunday, it does not make up for.
  assert.equal(due(weekdays, '2026-01-04T12:00:00Z'), null)
  assert.equal(planWaitMs(times(weekdays, '2026-01-04T12:00:00Z')), 18.5 * 3_600_000 + 100)
})

test('over a hundred missed times are too many', () => {
  const after = (now: string) => isTooMany(planDue(times({ schedule: '* * * * *' }, now), { usesDeadline: true }))
  assert.equal(after('2026-01-01T11:30:00Z'), false)
  assert.equal(after('2026-01-01T12:30:00Z'), true)
})

test('a day that never comes is no schedule', () => {
  const never = times({ schedule: '0 0 31 2 *' }, '2026-01-01T11:00:00Z')
  assert.throws(() => planDue(never, { usesDeadline: true }), InvalidScheduleError)
  assert.equal(planWaitMs(never), Number.POSITIVE_INFINITY)
})

test('the next look comes a little after the next time', () => {
  assert.equal(planWaitMs(times({}, '2026-01-01T10:59:00Z')), 60_100)
  assert.equal(planWaitMs(times({}, '2026-01-01T12:15:00Z')), 45 * 60_000 + 100)
})

test('a Job has the name and the mark of its time', () => {
  const { cronJob } = times(
    { timeZone: 'Asia/Kolkata', jobTemplate: { metadata: { labels: { a: 'b' } }, spec: { template: {} } } },
    CREATED,
  )
  const { metadata } = jobAt(cronJob, Date.parse('2026-01-01T11:00:00Z'))
  assert.equal(metadata.name, `c-${Date.parse('2026-01-01T11:00:00Z') / 60_000}`)
  assert.deepEqual(metadata.labels, { a: 'b' })
  assert.deepEqual(metadata.annotations, {
    'batch.kubernetes.io/cronjob-scheduled-timestamp': '2026-01-01T16:30:00+05:30',
  })
  assert.equal(metadata.ownerReferences?.[0]?.controller, true)
})

test('the oldest ended Jobs beyond the limits go', () => {
  const job = (name: string, type: string, startTime?: string): Job => ({
    metadata: { name, uid: name, resourceVersion: '1', creationTimestamp: CREATED },
    spec: { template: {} },
    status: { ...(startTime === undefined ? {} : { startTime }), conditions: [{ type, status: 'True' }] },
  })
  const jobs = [
    job('new', 'Complete', '2026-01-01T12:00:00Z'),
    job('never-started', 'Complete'),
    job('old', 'Complete', '2026-01-01T11:00:00Z'),
    job('running', 'Suspended', '2026-01-01T09:00:00Z'),
    job('failed', 'Failed', '2026-01-01T09:00:00Z'),
  ]
  const gone = (spec: Partial<CronJobSpec>) =>
    planHistory(times(spec, CREATED).cronJob, jobs).map(({ metadata }) => metadata.name)
  assert.deepEqual(gone({ successfulJobsHistoryLimit: 1, failedJobsHistoryLimit: 0 }), ['old', 'new', 'failed'])
  assert.deepEqual(gone({ successfulJobsHistoryLimit: 3, failedJobsHistoryLimit: 1 }), [])
  assert.deepEqual(gone({}), [])
})
