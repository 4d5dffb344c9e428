/** Prefers nodes on which CPU and memory would be used to a like degree, so that neither is left over alone. */
import type { Pod } from '#api/core/v1.gen.ts'
import type { NodeInfo } from '../cache/node-info.ts'
import { podRequests, type Resources } from '../cache/resources.ts'
import { SCORE_MAX, type CycleState, type Plugin } from '../framework.ts'

const STATE_KEY = 'NodeResourcesBalancedAllocation'

export const balancedAllocation: Plugin = {
  name: 'NodeResourcesBalancedAllocation',
  /** A pod that requests nothing changes no balance. */
  preScore(state: CycleState, pod: Pod): boolean {
    const requests = podRequests(pod)
    state.set(STATE_KEY, requests)
    return requests.milliCpu > 0 || requests.memory > 0
  },
  score(state: CycleState, _pod: Pod, node: NodeInfo): number {
    const requests = state.get(STATE_KEY) as Resources
    const fractions = [
      fraction(node.requested.milliCpu + requests.milliCpu, node.allocatable.milliCpu),
      fraction(node.requested.memory + requests.memory, node.allocatable.memory),
    ].filter((value) => value !== null)
    if (fractions.length < 2) return SCORE_MAX
    // With two resources the standard deviation is half of their distance.
    const deviation = Math.abs(fractions[0]! - fractions[1]!) / 2
    return Math.floor((1 - deviation) * SCORE_MAX)
  },
}

function fraction(used: number, capacity: number): number | null {
  return capacity === 0 ? null : Math.min(1, used / capacity)
}
