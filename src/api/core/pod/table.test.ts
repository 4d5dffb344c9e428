/** The READY, STATUS and RESTARTS of pods, as kubectl shows them. */
import assert from 'node:assert'
import { test } from 'node:test'
import type { ContainerStatus, Pod, PodSpec, PodStatus } from '#api/core/v1.gen.ts'
import { podCells, podRowConditions } from './table.ts'

const NOW_MS = Date.parse('2026-01-02T03:10:00Z')

function container(name: string, fields: Partial<ContainerStatus> = {}): ContainerStatus {
  return { name, image: 'i', imageID: '', ready: false, restartCount: 0, ...fields }
}

function pod(spec: Partial<PodSpec>, status: Partial<PodStatus>, isDeleted = false): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', creationTimestamp: '2026-01-02T03:00:00Z', ...(isDeleted && { deletionTimestamp: 'now' }) },
    spec: { containers: [{ name: 'c', image: 'i' }], ...spec },
    status,
  } as Pod
}

/** READY, STATUS, RESTARTS. */
function shown(...args: Parameters<typeof pod>): string {
  return podCells(pod(...args), NOW_MS)
    .slice(1, 4)
    .join(' ')
}

const running = container('c', { ready: true, state: { running: {} } })

test('the phase or the reason of a pod without container states', () => {
  assert.equal(shown({}, { phase: 'Pending' }), '0/1 Pending 0')
  assert.equal(shown({}, { phase: 'Failed', reason: 'Evicted' }), '0/1 Evicted 0')
  const gated = { type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }
  assert.equal(shown({}, { phase: 'Pending', conditions: [gated] }), '0/1 SchedulingGated 0')
})

test('main containers: ready, waiting, ended', () => {
  assert.equal(shown({}, { phase: 'Running', containerStatuses: [running] }), '1/1 Running 0')
  const waiting = container('c', { state: { waiting: { reason: 'ImagePullBackOff' } } })
  assert.equal(shown({}, { phase: 'Pending', containerStatuses: [waiting] }), '0/1 ImagePullBackOff 0')
  const killed = container('c', { state: { terminated: { exitCode: 137, signal: 9 } } })
  assert.equal(shown({}, { phase: 'Failed', containerStatuses: [killed] }), '0/1 Signal:9 0')
  const failed = container('c', { state: { terminated: { exitCode: 3 } } })
  assert.equal(shown({}, { phase: 'Failed', containerStatuses: [failed] }), '0/1 ExitCode:3 0')
})

test('one container is done, the other one runs', () => {
  const spec = { containers: [{ name: 'a' }, { name: 'c' }] }
  const done = container('a', { state: { terminated: { exitCode: 0, reason: 'Completed' } } })
  const ready = { type: 'Ready', status: 'True' }
  const containerStatuses = [done, running]
  assert.equal(shown(spec, { phase: 'Running', conditions: [ready], containerStatuses }), '1/2 Running 0')
  assert.equal(shown(spec, { phase: 'Running', containerStatuses }), '1/2 NotReady 0')
})

test('restarts say how long ago the last one was', () => {
  const restarted = container('c', {
    ready: true,
    restartCount: 2,
    state: { running: {} },
    lastState: { terminated: { exitCode: 1, finishedAt: '2026-01-02T03:05:00Z' } },
  })
  assert.equal(shown({}, { phase: 'Running', containerStatuses: [restarted] }), '1/1 Running 2 (5m ago)')
})

test('init containers: which one is at work, and how one failed', () => {
  const spec = { initContainers: [{ name: 'i' }, { name: 'j' }] }
  const done = container('i', { state: { terminated: { exitCode: 0 } } })
  const at = (second: ContainerStatus): string =>
    shown(spec, { phase: 'Pending', initContainerStatuses: [done, second] })
  assert.equal(at(container('j', { state: { running: {} } })), '0/1 Init:1/2 0')
  assert.equal(at(container('j', { state: { waiting: { reason: 'PodInitializing' } } })), '0/1 Init:1/2 0')
  assert.equal(
    at(container('j', { state: { waiting: { reason: 'CrashLoopBackOff' } } })),
    '0/1 Init:CrashLoopBackOff 0',
  )
  assert.equal(at(container('j', { state: { terminated: { exitCode: 2 } } })), '0/1 Init:ExitCode:2 0')
  assert.equal(at(container('j', { state: { terminated: { exitCode: 2, signal: 15 } } })), '0/1 Init:Signal:15 0')
})

test('sidecars count as containers', () => {
  const spec = { initContainers: [{ name: 's', restartPolicy: 'Always' }] }
  const sidecar = container('s', { ready: true, started: true, restartCount: 1, state: { running: {} } })
  const status = { phase: 'Running', initContainerStatuses: [sidecar], containerStatuses: [running] }
  assert.equal(shown(spec, status), '2/2 Running 1')
})

test('a deleted pod is Terminating until it has ended', () => {
  assert.equal(shown({}, { phase: 'Running', containerStatuses: [running] }, true), '1/1 Terminating 0')
  assert.equal(shown({}, { phase: 'Running', reason: 'NodeLost' }, true), '0/1 Unknown 0')
  assert.equal(shown({}, { phase: 'Succeeded' }, true), '0/1 Succeeded 0')
})

test('wide columns', () => {
  const gates = { readinessGates: [{ conditionType: 'a' }, { conditionType: 'b' }] }
  const status = { podIPs: [{ ip: '10.0.0.1' }], conditions: [{ type: 'a', status: 'True' }] }
  assert.deepEqual(podCells(pod({ ...gates, nodeName: 'n' }, status), NOW_MS).slice(4), [
    '10m',
    '10.0.0.1',
    'n',
    '<none>',
    '1/2',
  ])
  assert.deepEqual(podCells(pod({}, {}), NOW_MS).slice(5), ['<none>', '<none>', '<none>', '<none>'])
})

test('rows of ended pods are marked', () => {
  assert.equal(podRowConditions(pod({}, { phase: 'Succeeded' }))[0]?.reason, 'Succeeded')
  assert.equal(podRowConditions(pod({}, { phase: 'Failed' }))[0]?.reason, 'Failed')
  assert.deepEqual(podRowConditions(pod({}, { phase: 'Running' })), [])
})
