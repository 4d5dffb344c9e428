/** Keeps pods off nodes whose taints they do not tolerate, and prefers nodes with few PreferNoSchedule taints. */
import type { Node, Pod, Taint } from '#api/core/v1.gen.ts'
import { toleratesTaint } from '#api/core/tolerations.ts'
import type { NodeInfo } from '../cache/node-info.ts'
import { unresolvable, type ClusterEvent, type CycleState, type Plugin, type Rejection } from '../framework.ts'
import { normalizeDescending } from './normalize.ts'

function findUntolerated(node: Node, pod: Pod): Taint | undefined {
  return node.spec.taints?.find(
    (taint) =>
      (taint.effect === 'NoSchedule' || taint.effect === 'NoExecute') &&
      !toleratesTaint(pod.spec.tolerations ?? [], taint),
  )
}

export const taintToleration: Plugin = {
  name: 'TaintToleration',
  filter(_state: CycleState, pod: Pod, { node }: NodeInfo): Rejection | null {
    return findUntolerated(node, pod) === undefined ? null : unresolvable('node(s) had untolerated taint(s)')
  },
  /** Number of soft taints that the pod does not tolerate: fewer is better. */
  score(_state: CycleState, pod: Pod, { node }: NodeInfo): number {
    const tolerations = (pod.spec.tolerations ?? []).filter(({ effect }) => !effect || effect === 'PreferNoSchedule')
    return (node.spec.taints ?? []).filter(
      (taint) => taint.effect === 'PreferNoSchedule' && !toleratesTaint(tolerations, taint),
    ).length
  },
  normalizeScores: (_state: CycleState, _pod: Pod, scores: number[]): void => normalizeDescending(scores),
  isHelpedBy(pod: Pod, event: ClusterEvent): boolean {
    if (event.resource === 'unscheduled-pod') return true
    return (
      event.resource === 'node' && event.action !== 'delete' && findUntolerated(event.object as Node, pod) === undefined
    )
  },
}
