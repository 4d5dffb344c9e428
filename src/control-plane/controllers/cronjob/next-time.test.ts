/** When schedules come due, in UTC and where clocks are changed. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseSchedule } from '#api/batch/cron-job/schedule.ts'
import { nextTime } from './next-time.ts'
import { formatInZone } from './wall-clock.ts'

function next(schedule: string, after: string, timeZone = 'UTC'): string | null {
  const at = nextTime(parseSchedule(schedule), timeZone, Date.parse(after))
  return at === null ? null : formatInZone(timeZone, at)
}

// Each row is of the test table of robfig/cron or follows from its walk.
test('the next time', () => {
  const rows: [string, string, string | null][] = [
    ['0/15 * * * *', '2012-07-09T14:45:00Z', '2012-07-09T15:00:00Z'],
    ['0/15 * * * *', '2012-07-09T14:59:59.9Z', '2012-07-09T15:00:00Z'],
    ['20-35/15 * * * *', '2012-07-09T15:45:00Z', '2012-07-09T16:20:00Z'],
    ['20-35/15 10-14/2 * * *', '2012-07-09T23:46:00Z', '2012-07-10T10:20:00Z'],
    ['0 0 9 apr-oct *', '2012-07-09T23:35:00Z', '2012-08-09T00:00:00Z'],
    ['0 0 * feb mon', '2012-07-09T23:35:00Z', '2013-02-04T00:00:00Z'],
    ['0 0 29 feb *', '2012-07-09T23:35:00Z', '2016-02-29T00:00:00Z'],
    ['0 0 13 * fri', '2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z'],
    ['0 0 30 feb *', '2012-07-09T23:35:00Z', null],
    ['@yearly', '2026-01-01T00:00:00Z', '2027-01-01T00:00:00Z'],
    ['@every 1h5m', '2026-01-01T00:00:10.5Z', '2026-01-01T01:05:10Z'],
    ['TZ=Asia/Tokyo 0 9 * * *', '2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z'],
  ]
  for (const [schedule, after, expected] of rows) assert.equal(next(schedule, after), expected, schedule)
})

test('summer time begins: what would be in the missing hour is left out, what runs each hour goes on', () => {
  const zone = 'America/New_York'
  assert.equal(next('30 2 11 mar *', '2012-03-10T12:00:00-05:00', zone), '2013-03-11T02:30:00-04:00')
  assert.equal(next('0 * * * *', '2012-03-11T01:00:00-05:00', zone), '2012-03-11T03:00:00-04:00')
  assert.equal(next('0 2 * * *', '2012-03-11T00:00:00-05:00', zone), '2012-03-12T02:00:00-04:00')
})

test('summer time ends: the hour that comes twice counts twice', () => {
  const zone = 'America/New_York'
  assert.equal(next('0 1 * * *', '2012-11-04T00:00:00-04:00', zone), '2012-11-04T01:00:00-04:00')
  assert.equal(next('0 1 * * *', '2012-11-04T01:00:00-04:00', zone), '2012-11-04T01:00:00-05:00')
  assert.equal(next('0 2 * * *', '2012-11-04T01:45:00-05:00', zone), '2012-11-04T02:00:00-05:00')
})

test('a day without a midnight', () => {
  const zone = 'America/Sao_Paulo'
  assert.equal(next('0 9 4 11 *', '2018-11-01T00:00:00-03:00', zone), '2018-11-04T09:00:00-02:00')
})
