/** What the kubelet sends of a pod's status, and what the API server makes of it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import '#api/schemas.ts'
import type { PodStatus } from '#api/core/v1.gen.ts'
import { applyStrategicMergePatch } from '#machinery/patch/strategic-merge-patch.ts'
import { schemaOf } from '#machinery/schema/registry.ts'
import { withRemovals } from './status-manager.ts'

function merge(before: PodStatus, now: PodStatus, stale: readonly string[] = []): unknown {
  const patch = { status: withRemovals(now, before, stale) }
  return applyStrategicMergePatch({ status: before }, patch, schemaOf('io.k8s.api.core.v1.Pod'))['status']
}

test('the address of a sandbox that is gone does not stay beside the new one', () => {
  const before = { podIP: '10.244.0.2', podIPs: [{ ip: '10.244.0.2' }] }
  const now = { podIP: '10.244.0.9', podIPs: [{ ip: '10.244.0.9' }] }
  assert.deepEqual(merge(before, now), now)
})

test('conditions of others stay, and ours lose a reason that is no more', () => {
  const before = {
    conditions: [
      { type: 'Ready', status: 'False', reason: 'ContainersNotReady' },
      { type: 'example.com/gate', status: 'True' },
    ],
  }
  const merged = merge(before, { conditions: [{ type: 'Ready', status: 'True' }] }) as PodStatus
  assert.deepEqual(
    merged.conditions?.toSorted((a, b) => (a.type! < b.type! ? -1 : 1)),
    [
      { type: 'Ready', status: 'True' },
      { type: 'example.com/gate', status: 'True' },
    ],
  )
})

test('conditions of a resize that is over are deleted', () => {
  const ready = { type: 'Ready', status: 'True' }
  const pending = { type: 'PodResizePending', status: 'True', reason: 'Deferred' }
  const merged = merge({ conditions: [ready, pending] }, { conditions: [ready] }, ['Ready', 'PodResizePending'])
  assert.deepEqual(merged, { conditions: [ready] })
})

test('a limit that the pod as a whole does not have any more is deleted', () => {
  const before = { resources: { requests: { cpu: '1' }, limits: { cpu: '2', memory: '1Gi' } } }
  const requests = { cpu: '1' }
  assert.deepEqual(merge(before, { resources: { requests, limits: { memory: '1Gi' } } }), {
    resources: { requests, limits: { memory: '1Gi' } },
  })
  assert.deepEqual(merge(before, { resources: { requests } }), { resources: { requests } })
})
