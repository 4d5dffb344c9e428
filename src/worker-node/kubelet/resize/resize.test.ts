/** In-place resize of pods on a whole kubelet in virtual time: what it promises, what comes into force, and what it tells. */
import assert from 'node:assert/strict'
import fs, { readFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Container, Pod, PodCondition, ResourceRequirements } from '#api/core/v1.gen.ts'
import { NODES, PODS } from '#api/resources.gen.ts'
import type { CgroupManager, CgroupUsage } from '../cgroups/cgroup-manager.ts'
import { NO_CGROUPS } from '../cgroups/no-cgroups.ts'
import { quantityMilliValue } from '../quantities.ts'
import { aContainer, aPod } from '../testing/builders.ts'
import { startHarness, type Harness } from '../testing/harness.ts'

async function start(t: TestContext, options: Parameters<typeof startHarness>[1] = {}): Promise<Harness> {
  const harness = await startHarness({}, options)
  t.after(() => harness.stop())
  return harness
}

const podWith = (resources: ResourceRequirements, name = 'web', more: Partial<Container> = {}): Pod =>
  aPod({ containers: [aContainer('main', { resources, ...more })] }, name)

async function resize(harness: Harness, resources: ResourceRequirements, name = 'web'): Promise<void> {
  const pod = harness.pod(name)!
  const [container] = pod.spec.containers
  const generation = (pod.metadata.generation ?? 0) + 1
  const metadata = { ...pod.metadata, generation }
  await harness.api.update(PODS, {
    ...pod,
    metadata,
    spec: { ...pod.spec, containers: [{ ...container!, resources }] },
  })
}

const isRunning = (pod: Pod | undefined): boolean => pod?.status?.containerStatuses?.[0]?.state?.running !== undefined
const inForce = (pod: Pod | undefined): ResourceRequirements | undefined =>
  pod?.status?.containerStatuses?.[0]?.resources
const conditionOf = (pod: Pod | undefined, type: string): PodCondition | undefined =>
  pod?.status?.conditions?.find((condition) => condition.type === type)
const resizeEvents = (harness: Harness): string[] =>
  harness.events.filter((event) => event.startsWith('Resize')).map((event) => event.split(':', 1)[0]!)

/** A disk that is busy: a rename takes many turns of the event loop. */
function slowRenames(t: TestContext): void {
  const { rename } = fs.promises
  t.mock.method(fs.promises, 'rename', async (...paths: Parameters<typeof rename>) => {
    for (let turn = 0; turn < 300; turn++) await new Promise((resolve) => setImmediate(resolve))
    await rename(...paths)
  })
  syncBuiltinESMExports()
  t.after(() => {
    t.mock.reset()
    syncBuiltinESMExports()
  })
}

/** The node's processors as thousandths. */
const capacityOf = (harness: Harness): number =>
  quantityMilliValue(harness.api.peek(NODES, '', 'n1')!.status!.allocatable!['cpu']!)
const cpu = (milli: number): ResourceRequirements => ({ requests: { cpu: `${milli}m` } })

test('other resources come into force without a restart', async (t) => {
  const harness = await start(t)
  const { api, until, pod, runtime, events } = harness
  await api.create(
    PODS,
    podWith({ requests: { cpu: '100m', memory: '64Mi' }, limits: { cpu: '200m', memory: '64Mi' } }),
  )
  await until('it runs', () => isRunning(pod()))
  assert.equal(inForce(pod())?.limits?.['cpu'], '200m')
  const wanted = { requests: { cpu: '150m', memory: '128Mi' }, limits: { cpu: '300m', memory: '128Mi' } }
  await resize(harness, wanted)
  await until('it is in force', () => inForce(pod())?.limits?.['cpu'] === '300m')
  assert.deepEqual(inForce(pod()), wanted)
  assert.deepEqual(pod()?.status?.containerStatuses?.[0]?.allocatedResources, wanted.requests)
  assert.equal(conditionOf(pod(), 'PodResizeInProgress'), undefined)
  assert.equal(pod()?.status?.observedGeneration, 2)
  assert.deepEqual(runtime.calls.slice(-1), ['updateContainerResources main'])
  const [container] = await runtime.listContainers()
  const { resources } = (await runtime.containerStatus(container!.id))!
  assert.deepEqual(resources, { cpuShares: 153, cpuQuota: 30_000, memoryLimitBytes: 128 * 2 ** 20 })
  assert.deepEqual(resizeEvents(harness), ['ResizeStarted', 'ResizeCompleted'])
  const summary = { containers: [{ name: 'main', resources: wanted }], generation: 2 }
  assert.ok(events.includes(`ResizeCompleted: Pod resize completed: ${JSON.stringify(summary)}`))
})

test('what the node does not have is not given, and nothing changes', async (t) => {
  const harness = await start(t)
  const { api, until, pod, runtime } = harness
  await api.create(PODS, podWith(cpu(100)))
  await until('it runs', () => isRunning(pod()))
  const capacity = capacityOf(harness)
  await resize(harness, cpu(capacity + 1))
  await until('it says so', () => conditionOf(pod(), 'PodResizePending') !== undefined)
  const { status, reason, message, observedGeneration } = conditionOf(pod(), 'PodResizePending')!
  assert.deepEqual(
    { status, reason, message, observedGeneration },
    {
      status: 'True',
      reason: 'Deferred',
      message: `Node didn't have enough resource: cpu, requested: ${capacity + 1}, used: 0, capacity: ${capacity}`,
      observedGeneration: 2,
    },
  )
  assert.deepEqual(inForce(pod()), cpu(100))
  await resize(harness, cpu(100))
  await until('it is taken back', () => conditionOf(pod(), 'PodResizePending') === undefined)
  assert.deepEqual(resizeEvents(harness), ['ResizeDeferred'])
  assert.ok(!runtime.calls.some((call) => call.startsWith('update')))
})

test('what the node does not have now is given when another pod leaves, also after a restart of the kubelet', async (t) => {
  const harness = await start(t)
  const { api, until, pod } = harness
  const capacity = capacityOf(harness)
  const half = Math.floor(capacity / 2)
  // Seen first by the restarted kubelet, whose room is then still all free.
  await api.create(PODS, podWith(cpu(100)))
  await api.create(PODS, podWith(cpu(half), 'big'))
  await until('both run', () => isRunning(pod('big')) && isRunning(pod()))
  await resize(harness, cpu(half + 1))
  await until('it is deferred', () => conditionOf(pod(), 'PodResizePending')?.reason === 'Deferred')
  assert.equal(
    conditionOf(pod(), 'PodResizePending')?.message,
    `Node didn't have enough resource: cpu, requested: ${half + 1}, used: ${half}, capacity: ${capacity}`,
  )
  await harness.restart()
  await harness.clock.advance(1000)
  assert.deepEqual(inForce(pod()), cpu(100))
  assert.equal(conditionOf(pod(), 'PodResizePending')?.reason, 'Deferred')
  await api.delete(PODS, 'default', 'big', {})
  await until('it is given', () => inForce(pod())?.requests?.['cpu'] === `${half + 1}m`)
  await until('nothing is pending', () => conditionOf(pod(), 'PodResizePending') === undefined)
  assert.deepEqual(resizeEvents(harness), ['ResizeDeferred', 'ResizeStarted', 'ResizeCompleted'])
})

test('a container that asks for it is started anew, at once each time', async (t) => {
  const harness = await start(t)
  const { api, until, pod, runtime, events } = harness
  const resizePolicy = [{ resourceName: 'memory', restartPolicy: 'RestartContainer' }]
  await api.create(PODS, podWith({ limits: { memory: '64Mi' } }, 'web', { resizePolicy }))
  await until('it runs', () => isRunning(pod()))
  await resize(harness, { limits: { memory: '128Mi' } })
  await until('it runs again', () => isRunning(pod()) && pod()?.status?.containerStatuses?.[0]?.restartCount === 1)
  await until('it is told', () => resizeEvents(harness).includes('ResizeCompleted'))
  assert.equal(inForce(pod())?.limits?.['memory'], '128Mi')
  assert.ok(events.includes('Killing: Container main resize requires restart'))
  assert.ok(!runtime.calls.some((call) => call.startsWith('update')))
  const begunMs = harness.clock.now()
  await resize(harness, { limits: { memory: '256Mi' } })
  await until('once more', () => isRunning(pod()) && pod()?.status?.containerStatuses?.[0]?.restartCount === 2)
  assert.ok(harness.clock.now() - begunMs < 5000, 'a resize is not a crash')
})

test('a request of memory, which no kernel knows, is given and asks for its restart like any other', async (t) => {
  const harness = await start(t)
  const { api, until, pod, runtime } = harness
  const memory = (request: string): ResourceRequirements => ({
    requests: { memory: request },
    limits: { memory: '256Mi' },
  })
  const resizePolicy = [{ resourceName: 'memory', restartPolicy: 'RestartContainer' }]
  await api.create(PODS, podWith(memory('64Mi'), 'calm'))
  await api.create(PODS, podWith(memory('64Mi'), 'web', { resizePolicy }))
  await until('both run', () => isRunning(pod('calm')) && isRunning(pod()))
  for (const name of ['calm', 'web']) await resize(harness, memory('128Mi'), name)
  const over = (): number => resizeEvents(harness).filter((event) => event === 'ResizeCompleted').length
  await until('both are over', () => over() === 2)
  const restartsOf = (name: string): number | undefined => pod(name)?.status?.containerStatuses?.[0]?.restartCount
  await until('one was started anew', () => restartsOf('web') === 1 && isRunning(pod()))
  assert.equal(restartsOf('calm'), 0)
  assert.equal(inForce(pod('calm'))?.requests?.['memory'], '128Mi')
  assert.equal(runtime.calls.filter((call) => call.startsWith('update')).length, 1)
})

test('what was promised is on disk before a container is given it: a kubelet that is killed then does not take it back', async (t) => {
  const harness = await start(t)
  const { api, until, pod, runtime, rootDir } = harness
  await api.create(PODS, podWith(cpu(100)))
  await until('it runs', () => isRunning(pod()))
  const update = runtime.updateContainerResources.bind(runtime)
  const onDisk: string[] = []
  slowRenames(t)
  runtime.updateContainerResources = async (...given) => {
    onDisk.push(readFileSync(join(rootDir, 'allocated_pods_state'), 'utf8'))
    await update(...given)
  }
  await resize(harness, cpu(150))
  await until('it is in force', () => inForce(pod())?.requests?.['cpu'] === '150m')
  assert.equal(onDisk.length, 1)
  assert.match(onDisk[0]!, /"150m"/)
})

test('a container without a limit of memory has none to go below', async (t) => {
  const harness = await start(t)
  const { api, until, pod, runtime } = harness
  const memory = (request: string): ResourceRequirements => ({ requests: { memory: request } })
  await api.create(PODS, podWith(memory('64Mi')))
  await until('it runs', () => isRunning(pod()))
  await resize(harness, memory('128Mi'))
  await until('it is over', () => resizeEvents(harness).length >= 2)
  assert.deepEqual(resizeEvents(harness), ['ResizeStarted', 'ResizeCompleted'])
  assert.deepEqual(inForce(pod()), memory('128Mi'))
  assert.equal(runtime.calls.filter((call) => call.startsWith('update')).length, 1)
})

test('a runtime that reports what it was given otherwise makes nothing start anew, also for a kubelet that comes back', async (t) => {
  const harness = await start(t)
  const { api, until, pod, runtime } = harness
  const truth = runtime.containerStatus.bind(runtime)
  runtime.containerStatus = async (id) => {
    const detail = await truth(id)
    return detail?.resources ? { ...detail, resources: { ...detail.resources, cpuShares: 99 } } : detail
  }
  const resizePolicy = [{ resourceName: 'cpu', restartPolicy: 'RestartContainer' }]
  await api.create(PODS, podWith(cpu(100), 'web', { resizePolicy }))
  await until('it runs', () => isRunning(pod()))
  await harness.restart()
  await harness.clock.advance(120_000)
  assert.equal(pod()?.status?.containerStatuses?.[0]?.restartCount, 0)
  assert.deepEqual(resizeEvents(harness), [])
})

test('who waited first gets the room, and what a resize before told is not told again after a restart', async (t) => {
  const harness = await start(t)
  const { api, until, pod } = harness
  const capacity = capacityOf(harness)
  // The restarted kubelet sees them in this order.
  for (const [name, milli] of [
    ['late', 10],
    ['early', 10],
    ['big', capacity - 20],
  ] as const)
    await api.create(PODS, podWith(cpu(milli), name))
  await until('all run', () => ['early', 'late', 'big'].every((name) => isRunning(pod(name))))
  for (const name of ['early', 'late']) {
    await resize(harness, cpu(capacity - 30), name)
    await until('it waits', () => conditionOf(pod(name), 'PodResizePending') !== undefined)
    await harness.clock.advance(1000)
  }
  await harness.restart()
  await api.delete(PODS, 'default', 'big', {})
  await until('one grew', () => conditionOf(pod('early'), 'PodResizePending') === undefined)
  await until('it is over', () => conditionOf(pod('early'), 'PodResizeInProgress') === undefined)
  assert.equal(inForce(pod('early'))?.requests?.['cpu'], `${capacity - 30}m`)
  assert.equal(conditionOf(pod('late'), 'PodResizePending')?.reason, 'Deferred')
  assert.deepEqual(resizeEvents(harness), ['ResizeDeferred', 'ResizeDeferred', 'ResizeStarted', 'ResizeCompleted'])
})

test('a memory limit does not go below what is in use', async (t) => {
  const usage = { memoryUsageBytes: 100 * 2 ** 20 } as CgroupUsage
  const used = { current: usage }
  const cgroups: CgroupManager = { ...NO_CGROUPS, usage: () => Promise.resolve(used.current) }
  const harness = await start(t, { cgroups })
  const { api, until, pod } = harness
  await api.create(PODS, podWith({ limits: { memory: '256Mi' } }))
  await until('it runs', () => isRunning(pod()))
  await resize(harness, { limits: { memory: '64Mi' } })
  await until('it says so', () => conditionOf(pod(), 'PodResizeInProgress')?.reason === 'Error')
  const below = 'memory limit (67108864) below current usage (104857600)'
  assert.equal(
    conditionOf(pod(), 'PodResizeInProgress')?.message,
    `cannot decrease memory limits: [attempting to set pod ${below}, attempting to set container "main" ${below}]`,
  )
  assert.equal(inForce(pod())?.limits?.['memory'], '256Mi')
  used.current = { ...usage, memoryUsageBytes: 2 ** 20 }
  await until('it is in force', () => inForce(pod())?.limits?.['memory'] === '64Mi')
  await until('it is over', () => conditionOf(pod(), 'PodResizeInProgress') === undefined)
  assert.deepEqual(resizeEvents(harness), ['ResizeStarted', 'ResizeError', 'ResizeCompleted'])
})
