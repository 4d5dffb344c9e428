/** Each invariant notices what breaks it, and nothing else. */
import assert from 'node:assert/strict'
import test from 'node:test'
import type { StoreEvent } from '#control-plane/store/store.ts'
import { Invariants } from './invariants.ts'

function put(key: string, object: object): StoreEvent {
  const value = Buffer.from(JSON.stringify(object))
  return { type: 'put', key, entry: { key, value, modRevision: 1, createRevision: 1, lease: 0 }, previous: null }
}

const ownedBy = (uid: string) => [{ uid, controller: true }]
const pod = (name: string, node: string, owner = '') =>
  put(`/registry/pods/default/${name}`, {
    metadata: { uid: name, ...(owner === '' ? {} : { ownerReferences: ownedBy(owner) }) },
    spec: { nodeName: node },
  })
const replicaSet = (name: string, replicas: number, owner: string) =>
  put(`/registry/replicasets/default/${name}`, {
    metadata: { uid: name, ownerReferences: ownedBy(owner) },
    spec: { replicas },
  })
const deployment = (name: string, replicas: number, maxSurge: number | string) =>
  put(`/registry/deployments/default/${name}`, {
    metadata: { uid: name },
    spec: { replicas, strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge } } },
  })

function violationsOf(...events: readonly StoreEvent[]): number {
  const invariants = new Invariants(() => 0)
  for (const event of events) invariants.observe(event)
  return invariants.violations.length
}

test('a pod is bound once and never moves', () => {
  assert.equal(violationsOf(pod('a', ''), pod('a', 'n1'), pod('a', 'n1')), 0)
  assert.equal(violationsOf(pod('a', 'n1'), pod('a', 'n2')), 1)
  assert.equal(violationsOf(pod('a', 'n1'), pod('a', '')), 1)
})

test('a pod runs on one node at a time', () => {
  const invariants = new Invariants(() => 0)
  invariants.podStarted('a', 'n1')
  invariants.podStopped('a')
  invariants.podStarted('a', 'n2')
  assert.equal(invariants.violations.length, 0)
  invariants.podStarted('a', 'n1')
  assert.equal(invariants.violations.length, 1)
})

test('a ReplicaSet does not get more pods than it asks for', () => {
  assert.equal(violationsOf(replicaSet('r', 1, 'd'), pod('a', '', 'r')), 0)
  assert.equal(violationsOf(replicaSet('r', 1, 'd'), pod('a', '', 'r'), pod('b', '', 'r')), 1)
})

test('the ReplicaSets of a Deployment stay within its replicas and surge, percentages rounded up', () => {
  assert.equal(violationsOf(deployment('d', 5, '25%'), replicaSet('old', 5, 'd'), replicaSet('new', 2, 'd')), 0)
  assert.equal(violationsOf(deployment('d', 5, '25%'), replicaSet('old', 5, 'd'), replicaSet('new', 3, 'd')), 1)
  assert.equal(violationsOf(deployment('d', 5, 1), replicaSet('old', 5, 'd'), replicaSet('new', 2, 'd')), 1)
})
