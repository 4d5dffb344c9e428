/** Keeps two pods that want the same host port apart. */
import type { Pod } from '#api/core/v1.gen.ts'
import { hostPortKeys, type NodeInfo } from '../cache/node-info.ts'
import {
  unschedulable,
  type ClusterEvent,
  type CycleState,
  type Plugin,
  type PreFilterResult,
  type Rejection,
} from '../framework.ts'

const STATE_KEY = 'NodePorts'

export const nodePorts: Plugin = {
  name: 'NodePorts',
  preFilter(state: CycleState, pod: Pod): PreFilterResult | null {
    const keys = hostPortKeys(pod)
    if (keys.length === 0) return { skipFilter: true }
    state.set(STATE_KEY, keys)
    return null
  },
  filter(state: CycleState, _pod: Pod, node: NodeInfo): Rejection | null {
    const conflict = node.hasPortConflict(state.get(STATE_KEY) as string[])
    return conflict ? unschedulable("node(s) didn't have free ports for the requested pod ports") : null
  },
  isHelpedBy(_pod: Pod, event: ClusterEvent): boolean {
    if (event.resource === 'node') return event.action === 'add'
    return (
      event.resource === 'assigned-pod' && event.action === 'delete' && hostPortKeys(event.object as Pod).length > 0
    )
  },
}
