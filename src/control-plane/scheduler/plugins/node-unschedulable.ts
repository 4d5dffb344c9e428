/** Keeps pods off cordoned nodes, unless they tolerate the taint that stands for it. */
import type { Node, Pod } from '#api/core/v1.gen.ts'
import { toleratesTaint } from '#api/core/tolerations.ts'
import type { NodeInfo } from '../cache/node-info.ts'
import { unresolvable, type ClusterEvent, type CycleState, type Plugin, type Rejection } from '../framework.ts'

const TAINT = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }

export const nodeUnschedulable: Plugin = {
  name: 'NodeUnschedulable',
  filter(_state: CycleState, pod: Pod, { node }: NodeInfo): Rejection | null {
    if (node.spec.unschedulable !== true) return null
    return toleratesTaint(pod.spec.tolerations ?? [], TAINT) ? null : unresolvable('node(s) were unschedulable')
  },
  isHelpedBy(_pod: Pod, event: ClusterEvent): boolean {
    return event.resource === 'node' && event.action !== 'delete' && (event.object as Node).spec.unschedulable !== true
  },
}
