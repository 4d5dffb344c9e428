/** Schedules of CronJobs: what is one, and why not. */
import assert from 'node:assert'
import { test } from 'node:test'
import { parseSchedule, scheduleProblem, type FieldSchedule } from './schedule.ts'

test('schedules', () => {
  const good = [
    '* * * * *',
    '*/5 0-6 1,15 jan-mar MON-FRI',
    '0 0 ? * 0',
    '5/15 * * * *',
    '@hourly',
    '@every 1h30m',
    'TZ=UTC 0 0 * * *',
  ]
  for (const schedule of good) assert.equal(scheduleProblem(schedule), '', schedule)
})

test('why a text is no schedule', () => {
  const bad: [string, string][] = [
    ['', 'empty spec string'],
    ['* * * *', 'expected exactly 5 fields, found 4: [* * * *]'],
    ['60 * * * *', 'end of range (60) above maximum (59): 60'],
    ['* * 0 * *', 'beginning of range (0) below minimum (1): 0'],
    ['5-1 * * * *', 'beginning of range (5) beyond end of range (1): 5-1'],
    ['*/0 * * * *', 'step of range should be a positive number: */0'],
    ['1-2-3 * * * *', 'too many hyphens: 1-2-3'],
    ['1/2/3 * * * *', 'too many slashes: 1/2/3'],
    ['x * * * *', 'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax'],
    ['TZ=Mars/Base * * * * *', 'provided bad location Mars/Base: unknown time zone Mars/Base'],
    ['@sometimes', 'unrecognized descriptor: @sometimes'],
    ['@every x', 'failed to parse duration @every x: time: invalid duration "x"'],
  ]
  for (const [schedule, problem] of bad) assert.equal(scheduleProblem(schedule), problem)
})

test('what the fields hold', () => {
  const read = (text: string): FieldSchedule => parseSchedule(text) as FieldSchedule
  assert.deepEqual([...read('5/20,7 * * * *').minutes], [5, 25, 45, 7])
  assert.deepEqual([...read('0 0 * jan,MAR-apr *').months], [1, 3, 4])
  assert.deepEqual(read('@weekly').daysOfWeek, new Set([0]))
  assert.equal(read('TZ=Europe/Berlin 0 0 * * *').timeZone, 'Europe/Berlin')
  assert.equal(read('0 0 13 * 5').needsBothDays, false)
  assert.equal(read('0 0 13 * *').needsBothDays, true)
  assert.equal(read('0 0 */2 * 5').needsBothDays, false)
})

test('intervals are whole seconds', () => {
  for (const [text, everySeconds] of [
    ['@every 1h30m', 5400],
    ['@every 1.5s', 1],
    ['@every 10ms', 1],
    ['@every -1h', 1],
  ] as const)
    assert.deepEqual(parseSchedule(text), { everySeconds }, text)
})
