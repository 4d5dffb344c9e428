/** How long a node counts as silent. */
import assert from 'node:assert/strict'
import test from 'node:test'
import type { Lease } from '#api/coordination/v1.gen.ts'
import type { Node } from '#api/core/v1.gen.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import { Heartbeats } from './heartbeats.ts'

const clockAt = (time: string): VirtualClock => new VirtualClock(Date.parse(time))

function node(lastHeartbeatTime?: string): Node {
  const conditions = lastHeartbeatTime === undefined ? [] : [{ type: 'Ready', status: 'True', lastHeartbeatTime }]
  return {
    metadata: { name: 'n', creationTimestamp: '2026-01-01T00:00:00Z' },
    status: { conditions },
  } as unknown as Node
}

const lease = (renewTime: string): Lease => ({ metadata: { name: 'n' }, spec: { renewTime } }) as unknown as Lease

test('each new status and each renewal is a sign of life, the same again is none', async () => {
  const clock = clockAt('2026-01-01T00:00:00Z')
  const heartbeats = new Heartbeats(clock)
  heartbeats.hearNode(node('2020-01-01T00:00:00Z'))
  await clock.advance(1000)
  heartbeats.hearNode(node('2020-01-01T00:00:00Z'))
  assert.equal(heartbeats.silentMs('n'), 1000)
  heartbeats.hearNode(node('2020-01-01T00:00:05Z'))
  assert.equal(heartbeats.silentMs('n'), 0)
  heartbeats.hearLease(lease('2020-01-01T00:00:10Z'))
  await clock.advance(1000)
  heartbeats.hearLease(lease('2020-01-01T00:00:10Z'))
  assert.equal(heartbeats.silentMs('n'), 1000)
  heartbeats.hearLease(lease('2020-01-01T00:00:20Z'))
  assert.equal(heartbeats.silentMs('n'), 0)
})

test('a node that never posted is as old as its object', async () => {
  const clock = clockAt('2026-01-01T00:01:00Z')
  const heartbeats = new Heartbeats(clock)
  heartbeats.hearNode(node())
  assert.equal(heartbeats.silentMs('n'), 60_000)
  await clock.advance(1000)
  heartbeats.hearNode(node('2026-01-01T00:01:01Z'))
  assert.equal(heartbeats.silentMs('n'), 0)
})

test('unless its lease is renewed, whichever is heard of first', () => {
  for (const isLeaseFirst of [true, false]) {
    const heartbeats = new Heartbeats(clockAt('2026-01-01T00:01:00Z'))
    const tell = [
      (): void => heartbeats.hearNode(node()),
      (): void => heartbeats.hearLease(lease('2026-01-01T00:00:59Z')),
    ]
    for (const say of isLeaseFirst ? tell.toReversed() : tell) say()
    assert.equal(heartbeats.silentMs('n'), 0)
  }
})

test('a new chance for everybody; nothing is known of who was forgotten', async () => {
  const clock = clockAt('2026-01-01T00:00:00Z')
  const heartbeats = new Heartbeats(clock)
  heartbeats.hearNode(node('2020-01-01T00:00:00Z'))
  await clock.advance(1000)
  heartbeats.reset()
  assert.equal(heartbeats.silentMs('n'), 0)
  await clock.advance(1000)
  heartbeats.forgetNode('n')
  assert.equal(heartbeats.silentMs('n'), 0)
})
