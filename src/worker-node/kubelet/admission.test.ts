/** Whether a node takes a pod that was bound to it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pod } from '#api/core/v1.gen.ts'
import { admitPod } from './admission.ts'
import { aContainer, aPod } from './testing/builders.ts'

const allocatable = { cpu: '2', memory: '1Gi', pods: '3' }
const asking = (cpu: string, more: object = {}): Pod =>
  aPod({ containers: [aContainer('main', { resources: { requests: { cpu } } })], ...more })
const reason = (pod: Pod, others: readonly Pod[] = []): string | undefined =>
  admitPod(pod, { allocatable, others })?.reason

test('room for cpu and pods', () => {
  assert.equal(reason(asking('2')), undefined)
  assert.equal(reason(asking('2001m')), 'OutOfcpu')
  assert.equal(reason(asking('1'), [asking('1500m')]), 'OutOfcpu')
  assert.equal(reason(aPod(), [aPod(), aPod()]), undefined)
  assert.equal(reason(aPod(), [aPod(), aPod(), aPod()]), 'OutOfpods')
  const init = [aContainer('i', { resources: { requests: { cpu: '3' } } })]
  assert.equal(reason(asking('1', { initContainers: init })), 'OutOfcpu')
})

test('the message tells the amounts', () => {
  const verdict = admitPod(asking('1'), { allocatable, others: [asking('1500m')] })
  assert.equal(verdict?.message, "Node didn't have enough resource: cpu, requested: 1000, used: 1500, capacity: 2000")
})

test('a host port is given once, on any of its addresses', () => {
  const on = (hostPort: number, more: object = {}): Pod =>
    aPod({ containers: [aContainer('main', { ports: [{ containerPort: 80, hostPort, protocol: 'TCP', ...more }] })] })
  assert.equal(reason(on(80), [on(81), on(80, { protocol: 'UDP' })]), undefined)
  assert.equal(reason(on(80), [on(80, { hostIP: '172.31.0.11' })]), 'NodePorts')
  assert.equal(reason(on(80, { hostIP: '127.0.0.1' }), [on(80, { hostIP: '172.31.0.11' })]), undefined)
  assert.equal(
    admitPod(on(80), { allocatable, others: [on(80)] })?.message,
    "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports",
  )
})

test('static pods are always taken', () => {
  const pod = asking('100')
  const annotations = { 'kubernetes.io/config.source': 'file' }
  assert.equal(reason({ ...pod, metadata: { ...pod.metadata, annotations } }), undefined)
})

test('a pod with resource claims is refused: its devices would be missing', () => {
  assert.equal(
    reason(aPod({ resourceClaims: [{ name: 'gpu', resourceClaimName: 'gpu' }] })),
    'UnexpectedAdmissionError',
  )
})
