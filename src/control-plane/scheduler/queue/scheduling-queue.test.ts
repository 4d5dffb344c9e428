/** The scheduling queue: order, backoff, gates, and which events bring a pod back. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '#base/virtual-clock.ts'
import { buildNode, buildPlugins, buildPod } from '../testing/builders.ts'
import { SchedulingQueue } from './scheduling-queue.ts'

function build(): { clock: VirtualClock; queue: SchedulingQueue } {
  const clock = new VirtualClock(0)
  return { clock, queue: new SchedulingQueue({ clock, plugins: buildPlugins().map(({ plugin }) => plugin) }) }
}

const nameOf = async (queue: SchedulingQueue): Promise<string | undefined> => (await queue.pop())?.pod.metadata.name

test('higher priority first, then first come first served', async () => {
  const { clock, queue } = build()
  queue.add(buildPod('first'))
  await clock.advance(1)
  queue.add(buildPod('second'))
  queue.add(buildPod('urgent', { priority: 1000 }))
  assert.deepEqual([await nameOf(queue), await nameOf(queue), await nameOf(queue)], ['urgent', 'first', 'second'])
})

test('a rejected pod comes back after its backoff, and only for an event that helps', async () => {
  const { clock, queue } = build()
  const pod = buildPod('p', { requests: { cpu: '2' } })
  queue.add(pod)
  queue.fail((await queue.pop())!, pod, ['NodeResourcesFit'])
  queue.notice({ resource: 'node', action: 'add', object: buildNode('tiny', { allocatable: { cpu: '1' } }) })
  await clock.advance(20_000)
  assert.equal(queue.counts().unschedulable, 1)
  queue.notice({ resource: 'node', action: 'add', object: buildNode('large') })
  assert.equal(queue.counts().active, 1)
})

test('backoff doubles up to ten seconds', async () => {
  const { clock, queue } = build()
  const pod = buildPod('p')
  queue.add(pod)
  for (const seconds of [1, 2, 4, 8, 10, 10]) {
    queue.fail((await queue.pop())!, pod, [])
    await clock.advance(seconds * 1000 - 1)
    assert.equal(queue.counts().backoff, 1, `still waits before ${seconds} s`)
    await clock.advance(1)
    assert.equal(queue.counts().active, 1)
  }
})

test('a timer that fires early loses no pod', async () => {
  const clock = new VirtualClock(0)
  const setTimer = clock.setTimer.bind(clock)
  clock.setTimer = (delayMs, callback) => setTimer(Math.max(0, delayMs > 1 ? delayMs - 1 : delayMs), callback)
  const queue = new SchedulingQueue({ clock, plugins: [] })
  const pod = buildPod('p')
  queue.add(pod)
  queue.fail((await queue.pop())!, pod, [])
  await clock.advance(1000)
  assert.equal(queue.counts().active, 1)
})

test('an event that came while the pod was looked at is not lost', async () => {
  const { clock, queue } = build()
  const pod = buildPod('p', { requests: { cpu: '2' } })
  queue.add(pod)
  const queued = (await queue.pop())!
  queue.notice({ resource: 'node', action: 'add', object: buildNode('large') })
  queue.fail(queued, pod, ['NodeResourcesFit'])
  await clock.advance(1000)
  assert.equal(queue.counts().active, 1)
})

test('a gated pod waits until its gates are gone', async () => {
  const { queue } = build()
  const gated = buildPod('p', { schedulingGates: [{ name: 'quota' }] })
  queue.add(gated)
  assert.deepEqual(queue.counts(), { active: 0, backoff: 0, unschedulable: 0, gated: 1 })
  queue.update(buildPod('p'), gated)
  assert.equal(await nameOf(queue), 'p')
})

test('a reader waits for the next pod, and closing ends the wait', async () => {
  const { queue } = build()
  const next = queue.pop()
  queue.add(buildPod('late'))
  assert.equal((await next)?.pod.metadata.name, 'late')
  const last = queue.pop()
  queue.close()
  assert.equal(await last, null)
})

test('a pod that no event helped is tried again after five minutes', async () => {
  const { clock, queue } = build()
  const pod = buildPod('p')
  queue.add(pod)
  queue.fail((await queue.pop())!, pod, ['NodeAffinity'])
  await clock.advance(299_000)
  queue.flushOld()
  assert.equal(queue.counts().unschedulable, 1)
  await clock.advance(1000)
  queue.flushOld()
  assert.equal(queue.counts().active, 1)
})
