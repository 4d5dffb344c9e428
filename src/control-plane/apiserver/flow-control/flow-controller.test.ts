/** Which flow a request belongs to, how many seats its level has, and how seats move to where they are wanted. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FlowSchema, PriorityLevelConfiguration } from '#api/flowcontrol/v1.gen.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import OBJECTS from '../bootstrap/objects.gen.json' with { type: 'json' }
import { PlainRefusal } from '../plain-refusal.ts'
import type { ApiResponse } from '../request.ts'
import { OK, requestOf, userOf } from '../testing.ts'
import { allocateConcurrency } from './concurrency-allocation.ts'
import { DroppedRequests } from './dropped-requests.ts'
import { FlowController } from './flow-controller.ts'
import { createPriorityAndFairnessStage } from './priority-and-fairness.ts'
import { dealHand, hashFlow } from './shuffle-sharding.ts'
import { estimateWork, type RequestLoad } from './work-estimate.ts'

const ofKind = <T>(kind: string): T[] =>
  (OBJECTS as unknown as { kind: string }[]).filter((one) => one.kind === kind) as T[]
const LEVELS = ofKind<PriorityLevelConfiguration>('PriorityLevelConfiguration')
const SCHEMAS = ofKind<FlowSchema>('FlowSchema')
const LOAD: RequestLoad = { objectStats: () => ({ count: 0, averageBytes: 0 }), watcherCount: () => 0 }

function controllerOf(seats = 600): { controller: FlowController; clock: VirtualClock } {
  const clock = new VirtualClock(0)
  const controller = new FlowController(clock, seats)
  controller.configure(LEVELS, SCHEMAS)
  return { controller, clock }
}

test('requests find their schema by who they are of and what they ask for', () => {
  const { controller } = controllerOf()
  const flowOf = (user: ReturnType<typeof userOf>, path: string, method = 'GET') => {
    const { schema, level, distinguisher } = controller.classify(requestOf(method, path, { user }))
    return [schema.metadata.name, level.name, distinguisher]
  }
  const node = userOf('system:node:a', 'system:nodes', 'system:authenticated')
  assert.deepEqual(flowOf(userOf('root', 'system:masters'), '/api/v1/pods'), ['exempt', 'exempt', ''])
  assert.deepEqual(flowOf(userOf('system:anonymous', 'system:unauthenticated'), '/readyz'), ['probes', 'exempt', ''])
  assert.deepEqual(flowOf(node, '/api/v1/nodes/a'), ['system-node-high', 'node-high', 'system:node:a'])
  assert.deepEqual(flowOf(node, '/api/v1/pods'), ['system-nodes', 'system', 'system:node:a'])
  const account = userOf('system:serviceaccount:kube-system:x', 'system:serviceaccounts', 'system:authenticated')
  assert.deepEqual(flowOf(account, '/api/v1/namespaces/n/pods'), ['kube-system-service-accounts', 'workload-high', 'n'])
  assert.deepEqual(flowOf(userOf('u', 'system:authenticated'), '/api/v1/pods'), [
    'global-default',
    'global-default',
    'u',
  ])
})

test('the limits of the default levels are those of a real server', () => {
  const { controller } = controllerOf()
  const limits = [...controller.levels.values()].map(({ name, limits: { nominal, lower } }) => [name, nominal, lower])
  assert.deepEqual(Object.fromEntries(limits.map(([name, ...numbers]) => [name, numbers])), {
    'catch-all': [13, 13],
    exempt: [0, 0],
    'global-default': [49, 24],
    'leader-election': [25, 25],
    'node-high': [98, 73],
    system: [74, 50],
    'workload-high': [98, 49],
    'workload-low': [245, 24],
  })
})

test('seats move to a level that wants more, and stay above the others’ lower bounds', async () => {
  const { controller, clock } = controllerOf()
  const before = controller.levels.get('global-default')!.currentLimit
  for (let user = 0; user < 400; user++) {
    const flow = controller.classify(
      requestOf('GET', '/api/v1/pods', { user: userOf(`u${user}`, 'system:authenticated') }),
    )
    flow.level.queueSet.start({
      work: { initialSeats: 1, finalSeats: 0, additionalLatencyMs: 0 },
      hand: flow.hand,
      stats: flow.stats,
      waitLimitMs: 60_000,
      distinguisher: flow.distinguisher,
      request: requestOf('GET', '/'),
    })
  }
  await clock.advance(10_000)
  controller.updateBorrowing()
  const level = controller.levels.get('global-default')!
  assert.ok(level.currentLimit > 2 * before, `${before} became ${level.currentLimit}`)
  assert.equal(level.queueSet.executing, level.currentLimit)
  for (const { currentLimit, limits } of controller.levels.values()) assert.ok(currentLimit >= limits.lower)
})

test('a level whose object is gone ends with its last request; the mandatory ones stay', () => {
  const { controller } = controllerOf()
  const { level, hand, stats } = controller.classify(
    requestOf('GET', '/api/v1/pods', { user: userOf('u', 'system:authenticated') }),
  )
  const work = { initialSeats: 1, finalSeats: 0, additionalLatencyMs: 0 }
  const place = { hand, stats, waitLimitMs: 1, distinguisher: '', request: requestOf('GET', '/') }
  const ticket = level.queueSet.start({ work, ...place })!
  controller.configure([], [])
  assert.deepEqual([...controller.levels.keys()].toSorted(), ['catch-all', 'exempt', 'global-default'])
  assert.equal(level.isQuiescing, true)
  const nominal = (): number => controller.levels.get('catch-all')!.limits.nominal
  const shared = nominal()
  controller.endPeriod()
  assert.equal(controller.levels.size, 3)
  level.queueSet.finish(ticket)
  controller.endPeriod()
  assert.ok(nominal() > shared, 'its seats are the others’')
  assert.deepEqual([...controller.levels.keys()].toSorted(), ['catch-all', 'exempt'])
})

test('hands are upstream’s', () => {
  assert.equal(hashFlow('a', 'b'), hashFlow('a', 'b'))
  const hand = dealHand(hashFlow('global-default', 'u'), 128, 6)
  assert.equal(new Set(hand).size, 6)
  assert.ok(hand.every((card) => card >= 0 && card < 128))
  // 7 = 3 + 4·1: the fourth card of four, then the second of the three that are left.
  assert.deepEqual(dealHand(7n, 4, 2), [3, 1])
})

test('seats are shared by what is wanted, within bounds', () => {
  const claim = (lowerBound: number, upperBound: number, target: number) => ({ lowerBound, upperBound, target })
  assert.deepEqual(allocateConcurrency(30, [claim(0, 100, 10), claim(0, 100, 20)])?.seats, [10, 20])
  assert.deepEqual(allocateConcurrency(30, [claim(15, 100, 15), claim(0, 12, 20)])?.seats, [18, 12])
  assert.equal(allocateConcurrency(30, [claim(0, 10, 10)]), null)
})

test('lists cost what they load, changes what they make others do', () => {
  const load: RequestLoad = { objectStats: () => ({ count: 5000, averageBytes: 1000 }), watcherCount: () => 95 }
  const seats = (target: string, method = 'GET', levelMax = 0) => {
    const { initialSeats, finalSeats, additionalLatencyMs } = estimateWork(requestOf(method, target), load, levelMax)
    return [initialSeats, finalSeats, additionalLatencyMs]
  }
  assert.deepEqual(seats('/api/v1/pods'), [10, 0, 0])
  assert.deepEqual(seats('/api/v1/pods?limit=150'), [2, 0, 0])
  assert.deepEqual(seats('/api/v1/pods?limit=2000&continue=x'), [20, 0, 0])
  assert.deepEqual(seats('/api/v1/pods?limit=2000&continue=x', 'GET', 7), [7, 0, 0])
  assert.deepEqual(seats('/api/v1/pods?watch=1&resourceVersion=5'), [1, 0, 0])
  assert.deepEqual(seats('/api/v1/pods?watch=1'), [10, 0, 0])
  assert.deepEqual(seats('/api/v1/namespaces/n/pods', 'POST'), [1, 10, 5])
  assert.deepEqual(seats('/api/v1/namespaces/n/pods', 'POST', 4), [1, 4, 12.5])
  assert.deepEqual(seats('/api/v1/namespaces/n/serviceaccounts/a/token', 'POST'), [1, 0, 0])
})

test('those who are refused stay away longer while it does not help', async () => {
  const clock = new VirtualClock(0)
  const dropped = new DroppedRequests(clock)
  const second = async (requests: number): Promise<number> => {
    await clock.advance(1000)
    return Array.from({ length: requests }, () => dropped.record()).at(-1)!
  }
  assert.equal(await second(10), 1)
  assert.equal(await second(10), 2)
  await second(10)
  assert.equal(await second(10), 4)
  await clock.advance(60_000)
  assert.equal(await second(1), 3)
})

test('the stage names the flow, refuses with 429, and lets waiting requests go on', async () => {
  const { controller, clock } = controllerOf(1)
  const level = structuredClone(LEVELS.find(({ metadata }) => metadata.name === 'global-default')!)
  Object.assign(level.spec.limited!, { lendablePercent: 0, borrowingLimitPercent: 0 })
  controller.configure([level], SCHEMAS)
  const counts = { executing: { readOnly: 0, mutating: 0 }, waiting: { readOnly: 0, mutating: 0 } }
  const stage = createPriorityAndFairnessStage({ controller, clock, load: LOAD, counts, requestTimeoutMs: 60_000 })
  const user = userOf('u', 'system:authenticated')
  const request = () => ({ ...requestOf('GET', '/api/v1/pods', { user }), answerHeaders: {} as Record<string, string> })
  const gate = Promise.withResolvers<ApiResponse>()
  const running = stage(request(), () => gate.promise)
  const waiting = stage(request(), async () => OK)
  assert.deepEqual(counts, { executing: { readOnly: 1, mutating: 0 }, waiting: { readOnly: 1, mutating: 0 } })
  gate.resolve(OK)
  assert.deepEqual([await running, await waiting], [OK, OK])
  assert.deepEqual(counts.executing, { readOnly: 0, mutating: 0 })
  const hung = stage(request(), () => new Promise(() => {}))
  const late = request()
  const refused = stage(late, async () => OK).catch((error: unknown) => error)
  await clock.advance(15_000)
  const error = await refused
  assert.ok(error instanceof PlainRefusal)
  assert.deepEqual([error.code, error.headers['Retry-After']], [429, '1'])
  assert.deepEqual(Object.keys(late.answerHeaders), [
    'X-Kubernetes-Pf-Flowschema-Uid',
    'X-Kubernetes-Pf-Prioritylevel-Uid',
  ])
  void hung
})
