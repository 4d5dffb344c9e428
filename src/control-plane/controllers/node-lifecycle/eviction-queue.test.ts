/** Whose turn it is in a zone, and when. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { VirtualClock } from '#base/virtual-clock.ts'
import { EvictionQueue } from './eviction-queue.ts'

test('first come, first served, one at a time', async () => {
  const clock = new VirtualClock()
  const queue = new EvictionQueue(clock, 0.1)
  for (const node of ['a', 'b', 'a', 'c']) queue.add(node)
  assert.deepEqual([queue.first(), queue.waitMs()], ['a', 0])
  queue.take('a')
  assert.deepEqual([queue.first(), queue.waitMs()], ['b', 10_000])
  queue.postpone('b')
  assert.equal(queue.first(), 'c')
  queue.postpone('c')
  queue.postpone('gone')
  assert.equal(queue.first(), 'b', 'who left the queue does not come back')
  queue.remove('b')
  await clock.advance(4000)
  assert.deepEqual([queue.first(), queue.waitMs()], ['c', 6000])
  await clock.advance(60_000)
  queue.take('c')
  assert.deepEqual([queue.first(), queue.waitMs()], [null, 10_000], 'turns are not saved up')
})

test('a new rate: who need not wait goes on, who waits waits a whole turn', async () => {
  const clock = new VirtualClock()
  const queue = new EvictionQueue(clock, 0.1)
  queue.setRate(0.01)
  assert.equal(queue.waitMs(), 0)
  queue.take('a')
  queue.setRate(0.1)
  assert.equal(queue.waitMs(), 10_000)
  queue.setRate(0)
  await clock.advance(1_000_000)
  assert.equal(queue.waitMs(), Infinity)
  queue.setRate(0.01)
  assert.equal(queue.waitMs(), 100_000)
  await clock.advance(50_000)
  queue.setRate(0.01)
  assert.equal(queue.waitMs(), 50_000, 'the same rate changes nothing')
})
