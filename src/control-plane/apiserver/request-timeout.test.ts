/** Requests end in time; those that are meant to last do not. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '#base/virtual-clock.ts'
import { StatusError } from '#machinery/status-error.ts'
import { createTimeoutStage, timeoutOf } from './request-timeout.ts'
import { requestOf } from './testing.ts'

const LONGEST_MS = 60_000

test('Go durations', () => {
  assert.equal(timeoutOf('1m30s', LONGEST_MS), 90_000)
  assert.equal(timeoutOf('250ms', LONGEST_MS), 250)
  assert.equal(timeoutOf('1.5s', LONGEST_MS), 1500)
  for (const none of [null, '', '0', '0s']) assert.equal(timeoutOf(none, LONGEST_MS), LONGEST_MS)
  assert.throws(() => timeoutOf('5', LONGEST_MS), /missing unit in duration "5"/)
  assert.equal(timeoutOf('-5s', LONGEST_MS), 0)
  assert.equal(timeoutOf('+5s', LONGEST_MS), 5000)
  assert.throws(() => timeoutOf('1d', LONGEST_MS), /unknown unit "d" in duration "1d"/)
  assert.throws(() => timeoutOf('soon', LONGEST_MS), /invalid duration "soon"/)
})

test('a request that takes too long is answered with 504 and told to stop', async () => {
  const clock = new VirtualClock()
  let signal: AbortSignal | undefined
  const answer = createTimeoutStage(clock, LONGEST_MS)(requestOf('GET', '/api/v1/pods?timeout=2s'), (request) => {
    signal = request.signal
    return new Promise(() => {})
  })
  const refused = assert.rejects(answer, (error) => error instanceof StatusError && error.code === 504)
  await clock.advance(1999)
  assert.equal(signal?.aborted, false)
  await clock.advance(1)
  await refused
  assert.equal(signal?.aborted, true)
})

test('a watch has no such limit', async () => {
  const clock = new VirtualClock()
  let isDone = false
  void createTimeoutStage(clock, LONGEST_MS)(
    requestOf('GET', '/api/v1/pods?watch=1'),
    () => new Promise(() => {}),
  ).finally(() => (isDone = true))
  await clock.advance(10 * LONGEST_MS)
  assert.equal(isDone, false)
})
