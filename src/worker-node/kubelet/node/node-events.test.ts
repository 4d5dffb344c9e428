/** Which events a node's status brings. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NodeStatus } from '#api/core/v1.gen.ts'
import { nodeEventsOf } from './node-events.ts'

const statusOf = (values: Readonly<Record<string, string>>, bootID = 'b1'): NodeStatus => ({
  conditions: Object.entries(values).map(([type, status]) => ({ type, status })),
  nodeInfo: { bootID } as NonNullable<NodeStatus['nodeInfo']>,
})

const WELL = { MemoryPressure: 'False', DiskPressure: 'False', PIDPressure: 'False', Ready: 'True' }
const reasons = (before: NodeStatus, after: NodeStatus): string[] =>
  nodeEventsOf('n1', before, after).map(({ reason }) => reason)

test('a node that nobody knew tells what it has, but not that it became ready', () => {
  const sufficient = ['NodeHasSufficientMemory', 'NodeHasNoDiskPressure', 'NodeHasSufficientPID']
  assert.deepEqual(reasons({}, statusOf(WELL)), sufficient)
})

test('what stays as it is tells nothing', () => {
  assert.deepEqual(reasons(statusOf(WELL), statusOf(WELL)), [])
})

test('each turn is told once, a reboot first', () => {
  const badly = { MemoryPressure: 'True', DiskPressure: 'True', PIDPressure: 'True', Ready: 'False' }
  const turns = ['NodeHasInsufficientMemory', 'NodeHasDiskPressure', 'NodeHasInsufficientPID', 'NodeNotReady']
  assert.deepEqual(reasons(statusOf(WELL), statusOf(badly, 'b2')), ['Rebooted', ...turns])
  assert.deepEqual(nodeEventsOf('n1', statusOf({ ...WELL, Ready: 'Unknown' }), statusOf(WELL)), [
    { type: 'Normal', reason: 'NodeReady', message: 'Node n1 status is now: NodeReady' },
  ])
  assert.deepEqual(nodeEventsOf('n1', statusOf(WELL), statusOf(WELL, 'b2')), [
    { type: 'Warning', reason: 'Rebooted', message: 'Node n1 has been rebooted, boot id: b2' },
  ])
})
