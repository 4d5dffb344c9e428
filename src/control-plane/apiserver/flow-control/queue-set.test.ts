/** Fair queuing: seats, turns, refusals, and what is given back. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '#base/virtual-clock.ts'
import { requestOf } from '../testing.ts'
import { FlowStats } from './flow-stats.ts'
import { QueueSet } from './queue-set.ts'
import type { Arrival, Ticket } from './ticket.ts'

const stats = new FlowStats('level', 'schema')
const NEVER = new AbortController().signal

const arrivalOf = (hand: readonly number[], work: Partial<Arrival['work']> = {}): Arrival => ({
  work: { initialSeats: 1, finalSeats: 0, additionalLatencyMs: 0, ...work },
  hand,
  stats,
  waitLimitMs: 1000,
  distinguisher: '',
  request: requestOf('GET', '/'),
})

function setOf(queues: number, limit: number, queueLengthLimit = 50): { set: QueueSet; clock: VirtualClock } {
  const clock = new VirtualClock(0)
  const set = new QueueSet(clock)
  set.configure({ queues, queueLengthLimit }, limit)
  return { set, clock }
}

test('without queues what does not fit is refused, unless nothing runs at all', () => {
  const { set } = setOf(0, 2)
  const first = set.start(arrivalOf([]))!
  assert.equal(first.state, 'running')
  assert.equal(set.start(arrivalOf([], { initialSeats: 2 })), null)
  set.finish(first)
  const large = set.start(arrivalOf([], { initialSeats: 5 }))!
  assert.equal(large.state, 'running')
  assert.equal(set.start(arrivalOf([])), null)
  set.finish(large)
  assert.ok(set.isIdle)
})

test('an exempt level runs everything at once', () => {
  const { set } = setOf(-1, 0)
  const tickets = Array.from({ length: 9 }, () => set.start(arrivalOf([]))!)
  assert.ok(tickets.every(({ state }) => state === 'running'))
})

test('a flow that floods its queue does not hold up another', async () => {
  const { set, clock } = setOf(4, 1)
  const running = set.start(arrivalOf([0]))!
  const flood = Array.from({ length: 10 }, () => set.start(arrivalOf([0]))!)
  const other = set.start(arrivalOf([1]))!
  const order: Ticket[] = []
  for (const ticket of [...flood, other])
    void set.granted(ticket, NEVER).then((isGranted) => isGranted && order.push(ticket))
  await clock.advance(3)
  set.finish(running)
  for (let turn = 0; turn < 4; turn++) {
    await clock.advance(3)
    set.finish(order.at(-1)!)
  }
  assert.ok(order.indexOf(other) <= 1, `its turn was ${order.indexOf(other)}`)
})

test('the least loaded queue of a hand is taken', () => {
  const { set } = setOf(4, 1)
  set.start(arrivalOf([3]))
  const queues = [1, 2, 3, 4].map(() => set.start(arrivalOf([1, 2]))!.queue!.index)
  assert.deepEqual(queues.filter((index) => index === 1).length, 2)
})

test('a full queue refuses, and who waits too long or goes away leaves it', async () => {
  const { set, clock } = setOf(1, 1, 2)
  set.start(arrivalOf([0]))
  const waiting = set.granted(set.start(arrivalOf([0]))!, NEVER)
  const leaving = new AbortController()
  const left = set.granted(set.start(arrivalOf([0]))!, leaving.signal)
  assert.equal(set.start(arrivalOf([0])), null)
  leaving.abort()
  assert.equal(await left, false)
  await clock.advance(1000)
  assert.equal(await waiting, false)
  assert.deepEqual([set.waiting, set.seatsWaiting, set.executing, set.cancelled], [0, 0, 1, 2])
})

test('seats stay taken while watchers are told', async () => {
  const { set, clock } = setOf(1, 4)
  const ticket = set.start(arrivalOf([0], { finalSeats: 4, additionalLatencyMs: 20 }))!
  const next = set.start(arrivalOf([0]))!
  assert.equal(next.state, 'waiting')
  set.finish(ticket)
  assert.deepEqual([next.state, set.executing, set.seatsInUse], ['waiting', 0, 4])
  await clock.advance(20)
  assert.deepEqual([next.state, set.seatsInUse], ['running', 1])
})

test('a larger limit lets those go who wait; fewer queues are emptied first', () => {
  const { set } = setOf(4, 1)
  const first = set.start(arrivalOf([3]))!
  const second = set.start(arrivalOf([3]))!
  set.configure({ queues: 2, queueLengthLimit: 50 }, 2)
  assert.deepEqual([second.state, set.queues.length], ['running', 4])
  set.finish(first)
  set.finish(second)
  assert.equal(set.queues.length, 2)
})
