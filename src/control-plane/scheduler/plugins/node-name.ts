/** A pod that names its node fits there only. */
import type { Pod } from '#api/core/v1.gen.ts'
import type { NodeInfo } from '../cache/node-info.ts'
import { unresolvable, type ClusterEvent, type CycleState, type Plugin, type Rejection } from '../framework.ts'

export const nodeName: Plugin = {
  name: 'NodeName',
  filter(_state: CycleState, pod: Pod, node: NodeInfo): Rejection | null {
    const wanted = pod.spec.nodeName ?? ''
    return wanted === '' || wanted === node.name ? null : unresolvable("node(s) didn't match the requested node name")
  },
  isHelpedBy: (_pod: Pod, event: ClusterEvent): boolean => event.resource === 'node' && event.action === 'add',
}
