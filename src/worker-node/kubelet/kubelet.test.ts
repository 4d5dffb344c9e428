/** The life of pods on a node, from binding to deletion, in virtual time. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { Node, NodeCondition, Pod } from '#api/core/v1.gen.ts'
import { CONFIGMAPS, LEASES, NODES, PODS } from '#api/resources.gen.ts'
import { aContainer, aPod } from './testing/builders.ts'
import { startHarness, type Harness } from './testing/harness.ts'

async function start(t: TestContext, ...args: Parameters<typeof startHarness>): Promise<Harness> {
  const harness = await startHarness(...args)
  t.after(() => harness.stop())
  return harness
}

const isReady = (pod: Pod | undefined): boolean =>
  pod?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false
const waitingReason = (pod: Pod | undefined): string | undefined =>
  pod?.status?.containerStatuses?.[0]?.state?.waiting?.reason
const restarts = (pod: Pod | undefined): number => pod?.status?.containerStatuses?.[0]?.restartCount ?? 0

test('a node registers, becomes ready and renews its lease', async (t) => {
  const { api, until, clock } = await start(t)
  const ready = (): boolean =>
    api.peek(NODES, '', 'n1')?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ??
    false
  await until('the node is ready', ready)
  await until('the lease is there', () => api.peek(LEASES, 'kube-node-lease', 'n1') !== undefined)
  const first = api.peek(LEASES, 'kube-node-lease', 'n1')?.spec?.renewTime
  await clock.advance(10_000)
  await until('the lease is renewed', () => api.peek(LEASES, 'kube-node-lease', 'n1')?.spec?.renewTime !== first)
  assert.equal(api.peek(LEASES, 'kube-node-lease', 'n1')?.spec?.leaseDurationSeconds, 40)
})

test('a kubelet that starts again says so with its first report, though nothing has changed', async (t) => {
  const { api, until, clock, restart } = await start(t)
  const ready = (): NodeCondition | undefined =>
    api.peek(NODES, '', 'n1')?.status?.conditions?.find(({ type }) => type === 'Ready')
  await until('the node is ready', () => ready()?.status === 'True')
  await clock.advance(20_000)
  const before = ready()!
  const restartedMs = Math.floor(clock.now() / 1000) * 1000
  await restart()
  await until('there is a newer heartbeat', () => Date.parse(ready()!.lastHeartbeatTime!) >= restartedMs)
  assert.ok(clock.now() - restartedMs < 5000, 'not only with the next regular report')
  assert.equal(ready()!.lastTransitionTime, before.lastTransitionTime)
})

test('a bound pod runs, becomes ready, and is gone after its deletion', async (t) => {
  const { api, runtime, until, pod, events } = await start(t)
  await api.create(PODS, aPod())
  await until('the pod is ready', () => isReady(pod()))
  assert.equal(pod()?.status?.phase, 'Running')
  assert.deepEqual(runtime.calls, [
    'runPodSandbox web 0',
    'pullImage busybox:1',
    'createContainer main 0',
    'startContainer main 0',
  ])
  await api.delete(PODS, 'default', 'web', { gracePeriodSeconds: 7 })
  await until('the pod is gone', () => pod() === undefined)
  assert.deepEqual(runtime.calls.slice(4), ['stopContainer main 7', 'stopPodSandbox web'])
  await until('nothing is left', () => runtime.calls.length === 6)
  assert.deepEqual(
    events.filter((event) => /^(Created|Started|Killing)/.test(event)),
    ['Created: Container created', 'Started: Container started', 'Killing: Stopping container main'],
  )
})

test('a container that keeps crashing waits 10, 20, 40 seconds between its restarts', async (t) => {
  const { api, until, pod, clock, runtime } = await start(t, { behaviour: () => ({ exitAfterMs: 10, exitCode: 1 }) })
  await api.create(PODS, aPod())
  const startedAt: number[] = []
  for (let attempt = 0; attempt < 5; attempt++) {
    await until(`attempt ${attempt}`, () => runtime.calls.includes(`startContainer main ${attempt}`))
    startedAt.push(clock.now())
  }
  const waits = startedAt.slice(1).map((time, index) => Math.round((time - startedAt[index]!) / 1000))
  assert.deepEqual(waits, [0, 10, 20, 40])
  await until('it says so', () => waitingReason(pod()) === 'CrashLoopBackOff')
  assert.equal(restarts(pod()), 4)
})

test('a container that dies behind the back of the kubelet is noticed at once', async (t) => {
  const { api, until, pod, clock, runtime } = await start(t)
  await api.create(PODS, aPod())
  await until('the pod is ready', () => isReady(pod()))
  const before = clock.now()
  runtime.crash('main', 9)
  await until('it runs again', () => restarts(pod()) === 1 && isReady(pod()))
  assert.ok(clock.now() - before < 1000)
  assert.equal(pod()?.status?.containerStatuses?.[0]?.lastState?.terminated?.exitCode, 9)
})

test('a Job-like pod succeeds and keeps its containers until it is deleted', async (t) => {
  const { api, until, pod, runtime } = await start(t, { behaviour: () => ({ exitAfterMs: 500 }) })
  await api.create(PODS, aPod({ restartPolicy: 'Never', initContainers: [aContainer('prepare')] }))
  await until('it succeeded', () => pod()?.status?.phase === 'Succeeded')
  assert.equal(pod()?.status?.initContainerStatuses?.[0]?.ready, true)
  assert.equal((await runtime.listContainers()).length, 2)
  await api.delete(PODS, 'default', 'web', {})
  await until('it is gone', () => pod() === undefined)
  let left = -1
  await until('its containers are, too', () => {
    void runtime.listContainers().then((containers) => {
      left = containers.length
    })
    return left === 0
  })
})

test('a shorter grace period cuts a deletion in progress', async (t) => {
  const { api, until, pod, clock, runtime } = await start(t, { behaviour: () => ({ stopMs: 3_600_000 }) })
  await api.create(PODS, aPod())
  await until('the pod is ready', () => isReady(pod()))
  await api.delete(PODS, 'default', 'web', { gracePeriodSeconds: 300 })
  await until('the stop began', () => runtime.calls.includes('stopContainer main 300'))
  const before = clock.now()
  await api.delete(PODS, 'default', 'web', { gracePeriodSeconds: 5 })
  await until('the pod is gone', () => pod() === undefined)
  assert.ok(clock.now() - before < 10_000)
})

test('readiness follows its probe both ways, and a dead container is replaced by its liveness probe', async (t) => {
  const answers = { ready: 1, alive: 0 }
  const { api, until, pod, events } = await start(t, {
    exec: ([which = '']) => ({ exitCode: which === 'ready' ? answers.ready : answers.alive, output: which }),
  })
  const probe = (command: string, failureThreshold: number): object => ({
    exec: { command: [command] },
    periodSeconds: 1,
    failureThreshold,
  })
  const container = aContainer('main', { readinessProbe: probe('ready', 1), livenessProbe: probe('alive', 3) })
  await api.create(PODS, aPod({ containers: [container] }))
  await until('it runs', () => pod()?.status?.phase === 'Running')
  assert.equal(isReady(pod()), false)
  answers.ready = 0
  await until('it is ready', () => isReady(pod()))
  answers.ready = 1
  await until('it is unready', () => !isReady(pod()))
  answers.alive = 1
  await until('it was replaced', () => restarts(pod()) === 1)
  const killed = events.indexOf('Killing: Container main failed liveness probe, will be restarted')
  const failures = events.slice(0, killed).filter((event) => event === 'Unhealthy: Liveness probe failed: alive')
  assert.equal(failures.length, 3)
})

test('a restarted kubelet adopts what runs and restarts nothing', async (t) => {
  const { api, until, pod, runtime, restart } = await start(t)
  const container = aContainer('main', { readinessProbe: { exec: { command: ['true'] }, periodSeconds: 60 } })
  await api.create(PODS, aPod({ containers: [container] }))
  await until('the pod is ready', () => isReady(pod()))
  const calls = runtime.calls.length
  await restart()
  await until('the pod is known again', () => pod()?.status?.phase === 'Running')
  assert.equal(isReady(pod()), true, 'a pod stays ready while its probe has not run yet')
  assert.equal(runtime.calls.length, calls)
})

test('pods that were deleted while the kubelet was away are cleaned up', async (t) => {
  const harness = await start(t)
  const { api, until, pod, runtime, kubelet } = harness
  await api.create(PODS, aPod())
  await until('the pod is ready', () => isReady(pod()))
  await kubelet.stop()
  await api.delete(PODS, 'default', 'web', { gracePeriodSeconds: 0 })
  await harness.restart()
  await until('its sandbox was stopped', () => runtime.calls.includes('stopPodSandbox web'))
})

test('what is missing is named, and found when it comes', async (t) => {
  const { api, until, pod, events } = await start(t)
  const env = [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'settings', key: 'a' } } }]
  await api.create(PODS, aPod({ containers: [aContainer('main', { env })] }))
  await until('the container waits', () => waitingReason(pod()) === 'CreateContainerConfigError')
  assert.ok(events.includes('Failed: Error: configmap "settings" not found'))
  await api.create(CONFIGMAPS, { metadata: { name: 'settings', namespace: 'default' }, data: { a: '1' } })
  await until('the pod is ready', () => isReady(pod()))
})

test('images that cannot be pulled back off, and those that may not be pulled say so', async (t) => {
  const { api, until, pod } = await start(t, { registry: [] })
  await api.create(PODS, aPod({}, 'pull'))
  await api.create(PODS, aPod({ containers: [aContainer('main', { imagePullPolicy: 'Never' })] }, 'never'))
  await api.create(PODS, aPod({ containers: [aContainer('main', { image: 'Not An Image' })] }, 'name'))
  await until('back-off', () => waitingReason(pod('pull')) === 'ImagePullBackOff')
  await until('never', () => waitingReason(pod('never')) === 'ErrImageNeverPull')
  await until('name', () => waitingReason(pod('name')) === 'InvalidImageName')
})

test('a pod past its deadline fails', async (t) => {
  const { api, until, pod } = await start(t)
  await api.create(PODS, aPod({ activeDeadlineSeconds: 60 }))
  await until('the pod is ready', () => isReady(pod()))
  await until('the pod failed', () => pod()?.status?.phase === 'Failed')
  assert.equal(pod()?.status?.reason, 'DeadlineExceeded')
})

test('a container that writes more than its limit ends its pod, with one event', async (t) => {
  const { api, runtime, until, pod, events } = await start(t, { behaviour: () => ({ stopMs: 60_000 }) })
  const limited = aContainer('main', { resources: { limits: { 'ephemeral-storage': '1Mi' } } })
  await api.create(PODS, aPod({ containers: [limited], terminationGracePeriodSeconds: 45 }))
  await until('the pod runs', () => pod()?.status?.phase === 'Running')
  const [container] = await runtime.listContainers()
  runtime.layerBytes.set(container!.id, 2 ** 21)
  await until('the pod is evicted', () => pod()?.status?.phase === 'Failed')
  const message = 'Pod ephemeral local storage usage exceeds the total limit of containers 1Mi. '
  assert.deepEqual([pod()?.status?.reason, pod()?.status?.message], ['Evicted', message])
  assert.deepEqual(
    events.filter((event) => event.startsWith('Evicted')),
    [`Evicted: ${message}`],
  )
  // Not the 45 seconds of the pod: an eviction gives 1, and no container gets less than 2.
  assert.ok(runtime.calls.includes('stopContainer main 2'), String(runtime.calls))
})

test('sidecars start first and end last', async (t) => {
  const { api, until, pod, runtime } = await start(t)
  await api.create(PODS, aPod({ initContainers: [aContainer('side', { restartPolicy: 'Always' })] }))
  await until('the pod is ready', () => isReady(pod()))
  await api.delete(PODS, 'default', 'web', { gracePeriodSeconds: 30 })
  await until('the pod is gone', () => pod() === undefined)
  const order = runtime.calls
    .filter((call) => /^(start|stop)Container/.test(call))
    .map((call) => call.split(' ', 2).join(' '))
  assert.deepEqual(order, ['startContainer side', 'startContainer main', 'stopContainer main', 'stopContainer side'])
})

test('a dead sandbox is replaced with everything in it', async (t) => {
  const { api, until, pod, runtime } = await start(t)
  await api.create(PODS, aPod())
  await until('the pod is ready', () => isReady(pod()))
  const [sandbox] = await runtime.listPodSandboxes()
  await runtime.stopPodSandbox(sandbox!.id)
  await until('a second sandbox runs', () => runtime.calls.includes('runPodSandbox web 1'))
  await until('the pod is ready again', () => isReady(pod()) && restarts(pod()) === 1)
})

test('the node says when it is not ready, and pods wait for the network', async (t) => {
  const { api, until, pod, runtime, events } = await start(t)
  const node = (): string | undefined =>
    api.peek(NODES, '', 'n1')?.status?.conditions?.find(({ type }) => type === 'Ready')?.status
  runtime.networkReady = false
  await until('the node is not ready', () => node() === 'False')
  await api.create(PODS, aPod())
  await until('the pod says why', () => events.some((event) => event.startsWith('NetworkNotReady')))
  runtime.networkReady = true
  await until('the pod is ready', () => isReady(pod()))
  await until('the node is ready', () => node() === 'True')
})

test('a pod that this node cannot take fails with the reason', async (t) => {
  const { api, until, pod, events } = await start(t)
  const securityContext = { sysctls: [{ name: 'kernel.msgmax', value: '1' }] }
  await api.create(PODS, aPod({ securityContext }))
  await until('it failed', () => pod()?.status?.phase === 'Failed')
  assert.equal(pod()?.status?.reason, 'SysctlForbidden')
  const message = 'forbidden sysctl: "kernel.msgmax" not allowlisted'
  assert.equal(pod()?.status?.message, `Pod was rejected: ${message}`)
  assert.equal(pod()?.status?.containerStatuses, undefined)
  assert.deepEqual(
    events.filter((event) => !/^(Starting|NodeHas)/.test(event)),
    [`SysctlForbidden: ${message}`],
  )
})

test('the node tells how it comes, when it turns, and when it is cordoned', async (t) => {
  const { api, until, runtime, events } = await start(t)
  const node = (): Node | undefined => api.peek<Node>(NODES, '', 'n1')
  const isReadyNow = (): boolean => node()?.status?.conditions?.find(({ type }) => type === 'Ready')?.status === 'True'
  await until('the node is ready', isReadyNow)
  runtime.networkReady = false
  await until('it is not', () => !isReadyNow())
  runtime.networkReady = true
  await until('it is again', isReadyNow)
  for (const unschedulable of [true, false]) {
    const { spec, ...rest } = node()!
    await api.update(NODES, { ...rest, spec: { ...spec, unschedulable } })
    const reason = unschedulable ? 'NodeNotSchedulable' : 'NodeSchedulable'
    await until('it is told', () => events.includes(`${reason}: Node n1 status is now: ${reason}`))
  }
  const reasons = events.map((event) => event.split(':', 1)[0])
  const first = ['Starting', 'NodeHasSufficientMemory', 'NodeHasNoDiskPressure', 'NodeHasSufficientPID']
  assert.deepEqual(reasons, [...first, 'NodeNotReady', 'NodeReady', 'NodeNotSchedulable', 'NodeSchedulable'])
})
