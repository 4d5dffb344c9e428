/** Phase, conditions and container states that the API server is told. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ContainerStateTerminated, Pod, PodStatus } from '#api/core/v1.gen.ts'
import { aContainer, aPod, aSandbox, aState, aStatus } from '../testing/builders.ts'
import { podStatusOf, type PodStatusSources } from './pod-status.ts'
import type { PodState } from './pod-state.ts'

function statusOf(pod: Pod, state: PodState, more: Partial<PodStatusSources> = {}): PodStatus {
  return podStatusOf({
    pod,
    state,
    probes: { startup: () => undefined, liveness: () => undefined, readiness: () => undefined },
    waiting: new Map(),
    terminationMessages: new Map(),
    runtimeName: 'containerd',
    nowMs: 10_000,
    hostIps: ['192.168.0.2'],
    startTimeMs: 1000,
    isDone: false,
    verdict: null,
    resize: { pending: null, inProgress: null },
    ...more,
  })
}

const conditionOf = (status: PodStatus, type: string): string => {
  const condition = status.conditions?.find((candidate) => candidate.type === type)
  return [condition?.status, condition?.reason, condition?.message].filter((part) => part !== undefined).join(' / ')
}

test('a pod whose containers are not there yet is pending and says why', () => {
  const status = statusOf(aPod(), aState([], []))
  assert.equal(status.phase, 'Pending')
  assert.deepEqual(status.containerStatuses?.[0]?.state, { waiting: { reason: 'ContainerCreating' } })
  assert.equal(conditionOf(status, 'Ready'), 'False / ContainersNotReady / containers with unready status: [main]')
  assert.match(conditionOf(status, 'PodReadyToStartContainers'), /^False \/ PodSandboxNotReady/)
  assert.equal(status.podIP, undefined)
  assert.equal(status.startTime, '1970-01-01T00:00:01Z')
})

test('containers behind init containers wait for them', () => {
  const status = statusOf(aPod({ initContainers: [aContainer('i')] }), aState([aStatus('i', 'running')]))
  assert.equal(status.phase, 'Pending')
  assert.deepEqual(status.containerStatuses?.[0]?.state, { waiting: { reason: 'PodInitializing' } })
  assert.equal(
    conditionOf(status, 'Initialized'),
    'False / ContainersNotInitialized / containers with incomplete status: [i]',
  )
})

test('a running pod without probes is ready and has its address', () => {
  const status = statusOf(aPod(), aState([aStatus('main', 'running')]))
  assert.equal(status.phase, 'Running')
  assert.equal(conditionOf(status, 'Ready'), 'True')
  assert.deepEqual([status.podIP, status.podIPs, status.hostIP], ['10.244.0.2', [{ ip: '10.244.0.2' }], '192.168.0.2'])
  const [container] = status.containerStatuses!
  assert.deepEqual([container?.ready, container?.started, container?.containerID], [true, true, 'containerd://main-0'])
})

test('readiness waits for its probe, and for the startup probe before it', () => {
  const probe = { exec: { command: ['true'] } }
  const pod = aPod({ containers: [aContainer('main', { readinessProbe: probe, startupProbe: probe })] })
  const state = aState([aStatus('main', 'running')])
  const probes = (startup: 'success' | undefined, readiness: 'success' | undefined): Partial<PodStatusSources> => ({
    probes: { startup: () => startup, liveness: () => undefined, readiness: () => readiness },
  })
  const ready = (more: Partial<PodStatusSources>): (boolean | undefined)[] => {
    const container = statusOf(pod, state, more).containerStatuses?.[0]
    return [container?.started, container?.ready]
  }
  assert.deepEqual(ready(probes(undefined, 'success')), [false, false])
  assert.deepEqual(ready(probes('success', undefined)), [true, false])
  assert.deepEqual(ready(probes('success', 'success')), [true, true])
})

test('a readiness gate of someone else keeps the pod unready until it is true', () => {
  const gated = aPod({ readinessGates: [{ conditionType: 'example.com/ok' }] })
  const state = aState([aStatus('main', 'running')])
  assert.equal(
    conditionOf(statusOf(gated, state), 'Ready'),
    'False / ReadinessGatesNotReady / corresponding condition of pod readiness gate "example.com/ok" does not exist.',
  )
  const conditions = [{ type: 'example.com/ok', status: 'True' }]
  const status = statusOf({ ...gated, status: { conditions } }, state)
  assert.equal(conditionOf(status, 'Ready'), 'True')
  assert.equal(conditionOf(status, 'example.com/ok'), 'True')
})

test('a container that waits for its restart shows its end as last state', () => {
  const waiting = new Map([['main', { reason: 'CrashLoopBackOff', message: 'back-off' }]])
  const terminationMessages = new Map([['main-1', 'last words']])
  const state = aState([aStatus('main', 3, { attempt: 1 })])
  const [container] = statusOf(aPod(), state, { waiting, terminationMessages }).containerStatuses!
  assert.deepEqual(container?.state, { waiting: { reason: 'CrashLoopBackOff', message: 'back-off' } })
  assert.equal(container?.restartCount, 1)
  assert.deepEqual(
    [container?.lastState?.terminated?.exitCode, container?.lastState?.terminated?.message],
    [3, 'last words'],
  )
  assert.equal(statusOf(aPod(), state, { waiting }).phase, 'Running')
})

test('why a container never started is the last word of the runtime, before its own', () => {
  const message = 'failed to create containerd task: exec: "/nosuch": no such file or directory'
  const state = aState([aStatus('main', 128, { reason: 'StartError', message })])
  const endOf = (more: Partial<PodStatusSources>): ContainerStateTerminated | undefined => {
    const container = statusOf(aPod(), state, more).containerStatuses?.[0]
    return container?.state?.terminated ?? container?.lastState?.terminated
  }
  const end = endOf({ terminationMessages: new Map([['main-0', '']]) })
  assert.deepEqual([end?.reason, end?.exitCode, end?.message], ['StartError', 128, message])
  const waiting = new Map([['main', { reason: 'CrashLoopBackOff', message: 'back-off' }]])
  assert.equal(endOf({ waiting, terminationMessages: new Map([['main-0', '']]) })?.message, message)
  const never = statusOf(aPod({ restartPolicy: 'Never' }), state, {
    waiting: new Map([['main', { reason: 'RunContainerError', message }]]),
  })
  assert.equal(never.phase, 'Failed')
  assert.equal(never.containerStatuses?.[0]?.state?.terminated?.message, message)
  assert.deepEqual(never.containerStatuses?.[0]?.lastState, {})
  const both = endOf({ terminationMessages: new Map([['main-0', 'own words']]) })
  assert.equal(both?.message, `${message}: own words`)
})

test('an OOM kill of a child is not the end of the container', () => {
  const reasonOf = (exitCode: number): string | undefined => {
    const state = aState([aStatus('main', exitCode, { reason: 'OOMKilled' })])
    return statusOf(aPod(), state).containerStatuses?.[0]?.state?.terminated?.reason
  }
  assert.deepEqual([reasonOf(137), reasonOf(0), reasonOf(1)], ['OOMKilled', 'Completed', 'Error'])
})

const PHASES: readonly [string, Parameters<typeof aPod>[0], number, string][] = [
  ['Never, success', { restartPolicy: 'Never' }, 0, 'Succeeded'],
  ['Never, failure', { restartPolicy: 'Never' }, 1, 'Failed'],
  ['OnFailure, success', { restartPolicy: 'OnFailure' }, 0, 'Succeeded'],
  ['OnFailure, failure', { restartPolicy: 'OnFailure' }, 1, 'Running'],
  ['Always, success', {}, 0, 'Running'],
]
for (const [name, spec, exitCode, phase] of PHASES)
  test(`phase after the end of the only container: ${name}`, () => {
    assert.equal(statusOf(aPod(spec), aState([aStatus('main', exitCode)])).phase, phase)
  })

test('a deleted pod ends as what its containers made of it', () => {
  const end = (exitCode: number): string | undefined =>
    statusOf(aPod(), aState([aStatus('main', exitCode)]), { isDone: true }).phase
  assert.deepEqual([end(0), end(143)], ['Succeeded', 'Failed'])
})

test('an evicted pod is Failed only when nothing of it runs', () => {
  const verdict = { reason: 'Evicted', message: 'low on memory' }
  const state = aState([aStatus('main', 'running')])
  assert.equal(statusOf(aPod(), state, { verdict }).phase, 'Running')
  const done = statusOf(aPod(), aState([aStatus('main', 137)]), { verdict, isDone: true })
  assert.deepEqual([done.phase, done.reason, done.message], ['Failed', 'Evicted', 'low on memory'])
})

test('a refused pod has no container statuses', () => {
  const verdict = { reason: 'OutOfcpu', message: 'no room' }
  const status = statusOf(aPod(), aState([], []), { verdict, isDone: true })
  assert.deepEqual([status.phase, status.reason, status.containerStatuses], ['Failed', 'OutOfcpu', undefined])
})

test('a stopped pod keeps its address, and conditions keep their times', () => {
  const running = statusOf(aPod(), aState([aStatus('main', 'running')]))
  const pod = { ...aPod(), status: running }
  const later = statusOf(pod, aState([aStatus('main', 'running')], [aSandbox()]), { nowMs: 99_000 })
  assert.deepEqual(later.conditions, running.conditions)
  const stopped = statusOf(pod, aState([aStatus('main', 0)], [aSandbox({ ready: false, ips: [] })]), { nowMs: 99_000 })
  assert.equal(stopped.podIP, '10.244.0.2')
  const ready = stopped.conditions?.find(({ type }) => type === 'Ready')
  assert.equal(ready?.lastTransitionTime, '1970-01-01T00:01:39Z')
})

test('quality of service follows requests and limits', () => {
  const qos = (resources: object): string | undefined =>
    statusOf(aPod({ containers: [aContainer('main', { resources })] }), aState([])).qosClass
  const full = { cpu: '1', memory: '1Gi' }
  assert.deepEqual(
    [qos({}), qos({ requests: { cpu: '1' } }), qos({ limits: full }), qos({ requests: full, limits: full })],
    ['BestEffort', 'Burstable', 'Guaranteed', 'Guaranteed'],
  )
})
