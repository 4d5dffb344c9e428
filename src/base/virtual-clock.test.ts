/** The virtual clock and the heap under it: timers fire in order, sleeps end, cancelled ones do not. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { KeyedHeap } from './heap.ts'
import { VirtualClock } from './virtual-clock.ts'

test('timers fire in the order of their time, then of their making', async () => {
  const clock = new VirtualClock(0)
  const fired: string[] = []
  clock.setTimer(20, () => fired.push(`b@${clock.now()}`))
  clock.setTimer(10, () => {
    fired.push(`a@${clock.now()}`)
    clock.setTimer(10, () => fired.push(`c@${clock.now()}`))
  })
  clock.setTimer(15, () => fired.push('cancelled')).cancel()
  await clock.advance(19)
  assert.deepEqual(fired, ['a@10'])
  await clock.advance(100)
  assert.deepEqual(fired, ['a@10', 'b@20', 'c@20'])
  assert.equal(clock.now(), 119)
})

test('a sleep ends at its time or with its signal', async () => {
  const clock = new VirtualClock(0)
  const abort = new AbortController()
  const ends: string[] = []
  void clock.sleep(1000).then(() => ends.push('slept'))
  void clock.sleep(5000, abort.signal).catch((error: unknown) => ends.push(String(error)))
  await clock.advance(1000)
  abort.abort('stop')
  await clock.advance(1)
  assert.deepEqual(ends, ['slept', 'stop'])
  assert.equal(clock.nextTimerAt(), null, 'the aborted sleep leaves no timer')
  assert.equal(await clock.advanceUntil(() => clock.now() > 1500, 1000), true)
  assert.equal(await clock.advanceUntil(() => false, 1000), false)
})

test('a heap gives its items back in order whatever was replaced and removed', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 20 }), fc.integer(), fc.boolean())), (operations) => {
      const heap = new KeyedHeap<[number, number]>(
        ([key]) => String(key),
        (a, b) => a[1] < b[1],
      )
      const model = new Map<number, number>()
      for (const [key, value, isRemoval] of operations) {
        if (isRemoval) {
          assert.equal(heap.delete(String(key))?.[1], model.get(key))
          model.delete(key)
        } else {
          heap.set([key, value])
          model.set(key, value)
        }
        assert.equal(heap.size, model.size)
      }
      const order: number[] = []
      for (let item = heap.pop(); item !== undefined; item = heap.pop()) order.push(item[1])
      assert.deepEqual(
        order,
        [...model.values()].toSorted((a, b) => a - b),
      )
    }),
  )
})
