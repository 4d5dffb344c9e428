/** Watches end over the time given, few of them sooner. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '#base/virtual-clock.ts'
import { endSpread } from './end-spread.ts'

async function timesOf(count: number, graceMs: number): Promise<number[]> {
  const clock = new VirtualClock()
  const times: number[] = []
  const done = endSpread(
    Array.from({ length: count }, (_, index) => index),
    { graceMs, clock },
    () => times.push(clock.monotonic()),
  )
  for (let step = 0; step < 200; step++) await clock.advance(50)
  await done
  return times
}

test('all at once without a time', async () => {
  const times = await timesOf(1000, 0)
  assert.equal(new Set(times).size, 1)
})

test('many watches take the whole time, evenly', async () => {
  const times = await timesOf(2000, 5000)
  assert.equal(times.length, 2000)
  const lengthMs = times.at(-1)! - times[0]!
  assert.ok(lengthMs > 4500 && lengthMs <= 5000, String(lengthMs))
  const half = times.filter((time) => time - times[0]! < 2500).length
  assert.ok(Math.abs(half - 1000) <= 20, String(half))
})

test('few watches do not', async () => {
  const times = await timesOf(20, 5000)
  assert.ok(times.at(-1)! - times[0]! <= 100)
})
