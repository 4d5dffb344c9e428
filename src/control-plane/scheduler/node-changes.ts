/** Tells which changes of a node can matter to a waiting pod: heartbeats, which are most of them, do not. */
import type { Node } from '#api/core/v1.gen.ts'

export function isOfInterestToQueue(node: Node, old: Node): boolean {
  return (
    node.spec.unschedulable !== old.spec.unschedulable ||
    differs(node.spec.taints, old.spec.taints) ||
    differs(node.metadata.labels, old.metadata.labels) ||
    differs(node.metadata.annotations, old.metadata.annotations) ||
    differs(node.status?.allocatable, old.status?.allocatable) ||
    differs(conditionStates(node), conditionStates(old))
  )
}

function conditionStates(node: Node): string[] {
  return (node.status?.conditions ?? []).map(({ type, status }) => `${type}=${status}`)
}

const differs = (a: unknown, b: unknown): boolean => JSON.stringify(a) !== JSON.stringify(b)
