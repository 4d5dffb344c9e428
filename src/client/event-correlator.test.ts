/** What the correlator makes of repeated, similar and too many events. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { VirtualClock } from '#base/virtual-clock.ts'
import { EventCorrelator, type CorrelatedEvent } from './event-correlator.ts'

function harness(): { clock: VirtualClock; tell: (message: string, name?: string) => CorrelatedEvent | null } {
  const clock = new VirtualClock()
  const correlator = new EventCorrelator(clock)
  const tell = (message: string, name = 'p'): CorrelatedEvent | null => {
    const about = { apiVersion: 'v1', kind: 'Pod', namespace: 'n', name, uid: name }
    return correlator.correlate({ about, type: 'Warning', reason: 'Failed', message, atMs: clock.now() })
  }
  return { clock, tell }
}

test('equal events share one object and count up', () => {
  const { tell } = harness()
  const [first, second] = [tell('a')!, tell('a')!]
  assert.equal(first.known, second.known)
  assert.deepEqual([first.count, second.count, second.message], [1, 2, 'a'])
  assert.notEqual(tell('b')!.known, first.known)
})

test('from the tenth different message in ten minutes on, they share one combined event', async () => {
  const { clock, tell } = harness()
  const known = Array.from({ length: 9 }, (_, index) => tell(`message ${index}`)!.known)
  assert.equal(new Set(known).size, 9)
  const tenth = tell('message 9')!
  assert.equal(tenth.message, '(combined from similar events): message 9')
  const eleventh = tell('message 10')!
  assert.equal(eleventh.known, tenth.known)
  assert.equal(eleventh.count, 2)
  await clock.advance(600_001)
  assert.equal(tell('message 11')!.message, 'message 11', 'after a quiet time each stands for itself again')
})

test('an object has 25 events at once and one more every five minutes; what is dropped still counts', async () => {
  const { clock, tell } = harness()
  for (let index = 0; index < 25; index++) assert.notEqual(tell('a'), null)
  for (let index = 0; index < 10; index++) assert.equal(tell('a'), null)
  assert.notEqual(tell('a', 'other'), null, 'other objects have their own share')
  await clock.advance(300_000)
  assert.equal(tell('a')!.count, 36)
  assert.equal(tell('a'), null)
})

test('what was used longest ago is forgotten first', () => {
  const { tell } = harness()
  const first = tell('a', 'kept')!.known
  for (let index = 0; index < 4095; index++) tell('a', `pod-${index}`)
  assert.equal(tell('a', 'kept')!.known, first)
  tell('a', 'one more')
  assert.equal(tell('a', 'pod-0')!.count, 1)
  assert.equal(tell('a', 'kept')!.known, first)
})
