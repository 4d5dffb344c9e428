/** The waits between restarts: 10 s, doubled up to 5 minutes, forgotten after 10 minutes. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Backoff, formatSeconds } from './restart-backoff.ts'

test('a container that keeps ending waits ever longer, up to five minutes', () => {
  const backoff = new Backoff()
  const delays: number[] = []
  let now = 0
  for (let restart = 0; restart < 8; restart++) {
    delays.push(backoff.delayOf('c', now) / 1000)
    now += backoff.delayOf('c', now)
    backoff.advance('c', now, now)
  }
  assert.deepEqual(delays, [0, 10, 20, 40, 80, 160, 300, 300])
})

test('a container that ran for ten minutes begins anew', () => {
  const backoff = new Backoff()
  backoff.advance('c', 0, 0)
  backoff.advance('c', 10_000, 10_000)
  assert.equal(backoff.delayOf('c', 20_000), 20_000)
  assert.equal(backoff.delayOf('c', 10_000 + 600_001), 0)
  backoff.advance('c', 700_000, 700_000)
  assert.equal(backoff.delayOf('c', 700_000), 10_000)
})

test('waits print as Go prints durations', () => {
  assert.deepEqual([10_000, 80_000, 300_000, 3_600_000].map(formatSeconds), ['10s', '1m20s', '5m0s', '1h0m0s'])
})
