/** Decides which events a node has deserved when its status changes: pure. */
import type { Node, NodeStatus } from '#api/core/v1.gen.ts'
import type { ObjectReference } from '#client/event-recorder.ts'

export type NodeEvent = {
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
}

/** Reasons by condition and its status. */
const REASONS: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ['MemoryPressure', { True: 'NodeHasInsufficientMemory', False: 'NodeHasSufficientMemory' }],
  ['DiskPressure', { True: 'NodeHasDiskPressure', False: 'NodeHasNoDiskPressure' }],
  ['PIDPressure', { True: 'NodeHasInsufficientPID', False: 'NodeHasSufficientPID' }],
  ['Ready', { True: 'NodeReady', False: 'NodeNotReady' }],
]

/** `before` is what the API server has, `after` what it is told now. */
export function nodeEventsOf(nodeName: string, before: NodeStatus, after: NodeStatus): NodeEvent[] {
  const statusIn = ({ conditions }: NodeStatus, type: string): string | undefined =>
    conditions?.find((condition) => condition.type === type)?.status
  const turns = REASONS.flatMap(([type, reasons]) => {
    const [old, now] = [statusIn(before, type), statusIn(after, type)]
    // A node is not told to have become ready when nobody knew it yet.
    if (old === now || (type === 'Ready' && old === undefined)) return []
    const reason = reasons[now ?? '']
    return reason === undefined ? [] : [nodeIsNow(nodeName, reason)]
  })
  return [...rebooted(nodeName, before, after), ...turns]
}

export const STARTING: NodeEvent = { type: 'Normal', reason: 'Starting', message: 'Starting kubelet.' }

export const ALLOCATABLE_ENFORCED: NodeEvent = {
  type: 'Normal',
  reason: 'NodeAllocatableEnforced',
  message: 'Updated Node Allocatable limit across pods',
}

export const allocatableFailure = ({ message }: Error): NodeEvent => ({
  type: 'Warning',
  reason: 'FailedNodeAllocatableEnforcement',
  message: `Failed to update Node Allocatable Limits "/kubepods": ${message}`,
})

function rebooted(nodeName: string, { nodeInfo: before }: NodeStatus, { nodeInfo: after }: NodeStatus): NodeEvent[] {
  if (!before?.bootID || !after || before.bootID === after.bootID) return []
  const message = `Node ${nodeName} has been rebooted, boot id: ${after.bootID}`
  return [{ type: 'Warning', reason: 'Rebooted', message }]
}

export function schedulingEvent(nodeName: string, isUnschedulable: boolean): NodeEvent {
  return nodeIsNow(nodeName, isUnschedulable ? 'NodeNotSchedulable' : 'NodeSchedulable')
}

function nodeIsNow(nodeName: string, reason: string): NodeEvent {
  return { type: 'Normal', reason, message: `Node ${nodeName} status is now: ${reason}` }
}

export function nodeReference({ metadata }: Node): ObjectReference {
  return { apiVersion: 'v1', kind: 'Node', name: metadata.name, uid: metadata.uid }
}
