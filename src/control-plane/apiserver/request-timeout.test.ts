/** Requests end in time; those that are meant to last do not. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '#base/virtual-clock.ts'
import { StatusError } from '#machinery/status-error.ts'
import { REQUEST_TIMEOUT_MS, createTimeoutStage, timeoutOf } from './request-timeout.ts'
import { requestOf } from './testing.ts'

test('Go durations', () => {
  assert.equal(timeoutOf('1m30s'), 90_000)
  assert.equal(timeoutOf('250ms'), 250)
  assert.equal(timeoutOf('1.5s'), 1500)
  for (const none of [null, '', '0', '0s']) assert.equal(timeoutOf(none), REQUEST_TIMEOUT_MS)
  assert.throws(() => timeoutOf('5'), /missing unit in duration "5"/)
  assert.equal(timeoutOf('-5s'), 0)
  assert.equal(timeoutOf('+5s'), 5000)
  assert.throws(() => timeoutOf('1d'), /unknown unit "d" in duration "1d"/)
  assert.throws(() => timeoutOf('soon'), /invalid duration "soon"/)
})

test('a request that takes too long is answered with 504 and told to stop', async () => {
  const clock = new VirtualClock()
  let signal: AbortSignal | undefined
  const answer = createTimeoutStage(clock)(requestOf('GET', '/api/v1/pods?timeout=2s'), (request) => {
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
  void createTimeoutStage(clock)(requestOf('GET', '/api/v1/pods?watch=1'), () => new Promise(() => {})).finally(
    () => (isDone = true),
  )
  await clock.advance(10 * REQUEST_TIMEOUT_MS)
  assert.equal(isDone, false)
})
