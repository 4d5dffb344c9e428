/** What the silence and the conditions of a node lead to. */
import assert from 'node:assert/strict'
import test from 'node:test'
import type { Node, Taint } from '#api/core/v1.gen.ts'
import { planSilence, planTaints } from './plan.ts'

const NOW = '2026-01-01T00:00:00Z'

function node(conditions: Record<string, string>, taints: Taint[] = [], unschedulable = false): Node {
  return {
    metadata: { name: 'n', uid: 'u', resourceVersion: '1', creationTimestamp: '2025-01-01T00:00:00Z' },
    spec: { taints, unschedulable },
    status: { conditions: Object.entries(conditions).map(([type, status]) => ({ type, status })) },
  }
}

test('a silent node becomes Unknown in all that its kubelet reports', () => {
  const conditions = planSilence(node({ Ready: 'True', NetworkUnavailable: 'False' }), NOW)!
  assert.deepEqual(
    conditions.map(({ type, status, reason }) => [type, status, reason]),
    [
      ['Ready', 'Unknown', 'NodeStatusUnknown'],
      ['NetworkUnavailable', 'False', undefined],
      ['MemoryPressure', 'Unknown', 'NodeStatusNeverUpdated'],
      ['DiskPressure', 'Unknown', 'NodeStatusNeverUpdated'],
      ['PIDPressure', 'Unknown', 'NodeStatusNeverUpdated'],
    ],
  )
  assert.equal(planSilence({ ...node({}), status: { conditions } }, NOW), null)
})

test('conditions become taints, other taints stay', () => {
  const own = { key: 'mine', effect: 'NoSchedule' }
  assert.deepEqual(planTaints(node({ Ready: 'Unknown' }, [own]), NOW), [
    own,
    { key: 'node.kubernetes.io/unreachable', effect: 'NoSchedule' },
    { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute', timeAdded: NOW },
  ])
})

test('a ready node loses the taints of one that is not', () => {
  const taints = [
    { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' },
    { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' },
  ]
  assert.deepEqual(planTaints(node({ Ready: 'True' }, taints), NOW), [])
  assert.equal(planTaints(node({ Ready: 'True' }), NOW), null)
})

test('a cordoned node has the taint, and its time of arrival is kept', () => {
  const unschedulable = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }
  assert.deepEqual(planTaints(node({ Ready: 'True' }, [], true), NOW), [unschedulable])
  const old = { key: 'node.kubernetes.io/not-ready', effect: 'NoExecute', timeAdded: '2025-06-01T00:00:00Z' }
  assert.deepEqual(planTaints(node({ Ready: 'False' }, [old]), NOW)?.[0], old)
})
