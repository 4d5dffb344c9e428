/** What the silence and the conditions of a node lead to. */
import assert from 'node:assert/strict'
import test from 'node:test'
import type { Node, Taint } from '#api/core/v1.gen.ts'
import {
  isMarkedSilent,
  needsNoExecuteTurn,
  planLabels,
  planNoExecuteTaints,
  planNoScheduleTaints,
  planReachable,
  planRecovered,
  planSilence,
} from './plan.ts'

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
  const silent = { ...node({}), status: { conditions } }
  assert.equal(planSilence(silent, NOW), null)
  assert.deepEqual([isMarkedSilent(silent), isMarkedSilent(node({ Ready: 'Unknown' }))], [true, false])
})

test('conditions become taints that keep pods away, other taints stay', () => {
  const own = { key: 'mine', effect: 'NoSchedule' }
  const evicting = { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' }
  assert.deepEqual(planNoScheduleTaints(node({ Ready: 'Unknown', DiskPressure: 'True' }, [own, evicting])), [
    own,
    evicting,
    { key: 'node.kubernetes.io/unreachable', effect: 'NoSchedule' },
    { key: 'node.kubernetes.io/disk-pressure', effect: 'NoSchedule' },
  ])
  const stale = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }
  assert.deepEqual(planNoScheduleTaints(node({ Ready: 'True' }, [stale, own])), [own])
  assert.equal(planNoScheduleTaints(node({ Ready: 'True' }, [own])), null)
})

test('a cordoned node has the taint', () => {
  const unschedulable = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }
  assert.deepEqual(planNoScheduleTaints(node({ Ready: 'True' }, [], true)), [unschedulable])
  assert.deepEqual(planNoScheduleTaints(node({ Ready: 'True' }, [unschedulable])), [])
})

test('of the two taints that evict a node has the one that fits, and keeps the time of its arrival', () => {
  const [notReady, unreachable] = ['not-ready', 'unreachable'].map((name) => `node.kubernetes.io/${name}`)
  const old = { key: notReady!, effect: 'NoExecute', timeAdded: '2025-06-01T00:00:00Z' }
  assert.equal(planNoExecuteTaints(node({ Ready: 'False' }, [old]), NOW), null)
  assert.deepEqual(planNoExecuteTaints(node({ Ready: 'Unknown' }, [old]), NOW), [
    { key: unreachable, effect: 'NoExecute', timeAdded: NOW },
  ])
  assert.deepEqual(planReachable(node({ Ready: 'Unknown' }, [old])), [])
  assert.equal(planRecovered(node({ Ready: 'Unknown' }, [old])), null)
  assert.deepEqual(planRecovered(node({ Ready: 'True' }, [old])), [])
})

test('who waits for a turn: nodes that are not ready, never before they posted, and only once', () => {
  const tainted = [{ key: 'node.kubernetes.io/not-ready', effect: 'NoExecute' }]
  assert.equal(needsNoExecuteTurn(node({ Ready: 'False' })), true)
  assert.equal(needsNoExecuteTurn(node({ Ready: 'Unknown' })), true)
  assert.equal(needsNoExecuteTurn(node({ Ready: 'Unknown' }, tainted)), false)
  assert.equal(needsNoExecuteTurn(node({ Ready: 'True' })), false)
  assert.equal(needsNoExecuteTurn(node({})), false)
})

test('the old names of the labels follow the new ones', () => {
  const labelled = (labels: Record<string, string>): Node => ({
    ...node({}),
    metadata: { ...node({}).metadata, labels },
  })
  assert.deepEqual(planLabels(labelled({ 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'arm64' })), {
    'beta.kubernetes.io/os': 'linux',
    'beta.kubernetes.io/arch': 'arm64',
  })
  const differing = { 'kubernetes.io/os': 'linux', 'beta.kubernetes.io/os': 'plan9' }
  assert.deepEqual(planLabels(labelled(differing)), { 'beta.kubernetes.io/os': 'linux' })
  assert.equal(planLabels(labelled({ 'beta.kubernetes.io/os': 'linux' })), null)
  assert.equal(planLabels(node({})), null)
})
