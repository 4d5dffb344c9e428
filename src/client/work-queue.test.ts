/** What the queue of a controller promises. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { VirtualClock } from '#base/virtual-clock.ts'
import { WorkQueue } from './work-queue.ts'

test('a key waits once, and is handed out again only after it was given back', async () => {
  const queue = new WorkQueue(new VirtualClock())
  queue.add('a')
  queue.add('a')
  queue.add('b')
  assert.equal(queue.size, 2)
  assert.equal(await queue.take(), 'a')
  queue.add('a')
  assert.equal(await queue.take(), 'b')
  assert.equal(queue.size, 0)
  queue.done('a')
  assert.equal(await queue.take(), 'a')
})

test('the shorter of two delays holds', async () => {
  const clock = new VirtualClock()
  const queue = new WorkQueue(clock)
  queue.addAfter('a', 1000)
  queue.addAfter('a', 100)
  queue.addAfter('a', 500)
  await clock.advance(99)
  assert.equal(queue.size, 0)
  await clock.advance(1)
  assert.equal(queue.size, 1)
  assert.equal(await queue.take(), 'a')
  queue.done('a')
  await clock.advance(2000)
  assert.equal(queue.size, 0)
})

test('failures double the delay up to 1000 seconds', async () => {
  const clock = new VirtualClock()
  const queue = new WorkQueue(clock)
  const delays: number[] = []
  for (let round = 0; round < 20; round++) {
    const startedAt = clock.now()
    const taken = queue.take()
    queue.addRateLimited('a')
    await clock.advance(clock.nextTimerAt()! - startedAt)
    assert.equal(await taken, 'a')
    queue.done('a')
    delays.push(clock.now() - startedAt)
  }
  assert.deepEqual(delays.slice(0, 4), [5, 10, 20, 40])
  assert.equal(delays.at(-1), 1_000_000)
  queue.forget('a')
  assert.equal(queue.failures('a'), 0)
})

test('closing ends those that wait', async () => {
  const queue = new WorkQueue(new VirtualClock())
  const taken = queue.take()
  queue.close()
  assert.equal(await taken, null)
  queue.add('a')
  assert.equal(await queue.take(), null)
})
