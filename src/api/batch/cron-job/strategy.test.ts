/** Writes of CronJobs: defaults, names, schedules, time zones. */
import assert from 'node:assert'
import { test } from 'node:test'
import type { CronJob } from '#api/batch/v1.gen.ts'
import '#api/schemas.ts'
import { createWith, updateWith } from '#api/testing.ts'
import { cronJobKind } from './kind.ts'

const template = { spec: { containers: [{ name: 'c', image: 'busybox' }], restartPolicy: 'Never' } }

function body(spec: object = {}, name = 'c'): object {
  const jobTemplate = { spec: { template } }
  return { metadata: { name, namespace: 'n' }, spec: { schedule: '@hourly', jobTemplate, ...spec } }
}

test('defaults of a minimal CronJob', () => {
  const { object, errors } = createWith<CronJob>(cronJobKind, body())
  assert.deepEqual(errors, [])
  const { jobTemplate: _, ...rest } = object.spec
  assert.deepEqual(rest, {
    concurrencyPolicy: 'Allow',
    failedJobsHistoryLimit: 1,
    schedule: '@hourly',
    successfulJobsHistoryLimit: 3,
    suspend: false,
  })
})

test('the generation follows the spec', () => {
  const old = createWith<CronJob>(cronJobKind, body()).object
  const { object } = updateWith<CronJob>(cronJobKind, body({ suspend: true }), { old })
  assert.equal(object.metadata.generation, 2)
})

test('names leave room for those of the jobs', () => {
  const { errors } = createWith(cronJobKind, body({}, 'a'.repeat(53)))
  assert.match(errors.join(), /^metadata\.name: Invalid value: "a+": must be no more than 52 characters$/)
})

test('schedules and time zones', () => {
  assert.match(
    createWith(cronJobKind, body({ schedule: 'now' })).errors.join(),
    /^spec\.schedule: Invalid value: "now"/,
  )
  assert.deepEqual(createWith(cronJobKind, body({ timeZone: 'Europe/Berlin' })).errors, [])
  assert.match(createWith(cronJobKind, body({ timeZone: 'Mars/Base' })).errors.join(), /^spec\.timeZone: Invalid value/)
})
