/** What the status of a ReplicaSet says about pods that could not be made. */
import assert from 'node:assert/strict'
import test from 'node:test'
import type { ReplicaSet } from '#api/apps/v1.gen.ts'
import { planStatus, type Failure } from './plan.ts'

const EMPTY: ReplicaSet = {
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  metadata: { name: 'web', namespace: 'default', uid: 'u', resourceVersion: '1', creationTimestamp: '', generation: 1 },
  spec: { replicas: 3, selector: { matchLabels: { app: 'web' } } },
}

const refused = (pod: string): Failure => ({ reason: 'FailedCreate', message: `pods "${pod}" is forbidden` })

test('a failure that goes on is not a new status, whatever pod it names', () => {
  const first = planStatus(EMPTY, [], refused('web-a'), 0)
  assert.deepEqual(first.conditions, [
    {
      type: 'ReplicaFailure',
      status: 'True',
      lastTransitionTime: '1970-01-01T00:00:00Z',
      reason: 'FailedCreate',
      message: 'pods "web-a" is forbidden',
    },
  ])
  assert.deepEqual(planStatus({ ...EMPTY, status: first }, [], refused('web-b'), 5000), first)
})

test('a round without a failure takes the condition away, and the next failure is a new one', () => {
  const failed = planStatus(EMPTY, [], refused('web-a'), 0)
  const healthy = planStatus({ ...EMPTY, status: failed }, [], null, 5000)
  assert.equal(healthy.conditions, undefined)
  const again = planStatus({ ...EMPTY, status: healthy }, [], refused('web-b'), 10_000)
  assert.equal(again.conditions?.[0]?.message, 'pods "web-b" is forbidden')
  assert.equal(again.conditions?.[0]?.lastTransitionTime, '1970-01-01T00:00:10Z')
})
