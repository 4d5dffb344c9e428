/** Keeps pods off nodes without room for what they request, and prefers nodes with much room left (LeastAllocated). */
import type { Pod } from '#api/core/v1.gen.ts'
import type { NodeInfo } from '../cache/node-info.ts'
import { podRequests, toResources, type Resources } from '../cache/resources.ts'
import {
  SCORE_MAX,
  unresolvable,
  unschedulable,
  type ClusterEvent,
  type CycleState,
  type Plugin,
  type PreFilterResult,
  type Rejection,
} from '../framework.ts'

const STATE_KEY = 'NodeResourcesFit'
const SCORE_KEY = 'NodeResourcesFit/scored'

export const nodeResourcesFit: Plugin = {
  name: 'NodeResourcesFit',
  preFilter(state: CycleState, pod: Pod): PreFilterResult | null {
    state.set(STATE_KEY, podRequests(pod))
    return null
  },
  filter(state: CycleState, _pod: Pod, node: NodeInfo): Rejection | null {
    const requests = state.get(STATE_KEY) as Resources
    const reasons = insufficientResources(requests, node)
    if (reasons.length === 0) return null
    return exceedsWholeNode(requests, node) ? unresolvable(...reasons) : unschedulable(...reasons)
  },
  preScore(state: CycleState, pod: Pod): boolean {
    state.set(SCORE_KEY, podRequests(pod, { defaults: true }))
    return true
  },
  score(state: CycleState, _pod: Pod, node: NodeInfo): number {
    const requests = state.get(SCORE_KEY) as Resources
    const cpu = leftShare(node.scoredRequested.milliCpu + requests.milliCpu, node.allocatable.milliCpu)
    const memory = leftShare(node.scoredRequested.memory + requests.memory, node.allocatable.memory)
    const scores = [cpu, memory].filter((score) => score !== null)
    return scores.length === 0 ? 0 : Math.floor(scores.reduce((sum, score) => sum + score, 0) / scores.length)
  },
  isHelpedBy(pod: Pod, event: ClusterEvent): boolean {
    if (event.resource === 'assigned-pod') return event.action === 'delete' || shrinks(event)
    if (event.resource === 'unscheduled-pod') return true
    return event.resource === 'node' && event.action !== 'delete' && mayHold(event, pod)
  },
}

/** Upstream's texts, in upstream's order. */
export function insufficientResources(requests: Resources, node: NodeInfo): string[] {
  const reasons: string[] = []
  if (node.podCount + 1 > node.allowedPods) reasons.push('Too many pods')
  const { allocatable, requested } = node
  if (requests.milliCpu > 0 && requests.milliCpu > allocatable.milliCpu - requested.milliCpu)
    reasons.push('Insufficient cpu')
  if (requests.memory > 0 && requests.memory > allocatable.memory - requested.memory)
    reasons.push('Insufficient memory')
  if (
    requests.ephemeralStorage > 0 &&
    requests.ephemeralStorage > allocatable.ephemeralStorage - requested.ephemeralStorage
  )
    reasons.push('Insufficient ephemeral-storage')
  for (const [name, amount] of requests.scalar)
    if (amount > 0 && amount > (allocatable.scalar.get(name) ?? 0) - (requested.scalar.get(name) ?? 0))
      reasons.push(`Insufficient ${name}`)
  return reasons
}

/** Even an empty node would be too small, so evicting others helps nothing. */
function exceedsWholeNode(requests: Resources, { allocatable }: NodeInfo): boolean {
  return (
    requests.milliCpu > allocatable.milliCpu ||
    requests.memory > allocatable.memory ||
    requests.ephemeralStorage > allocatable.ephemeralStorage ||
    [...requests.scalar].some(([name, amount]) => amount > (allocatable.scalar.get(name) ?? 0))
  )
}

/** 0..100: the part of the capacity that stays free; null without capacity. */
function leftShare(used: number, capacity: number): number | null {
  if (capacity === 0) return null
  return used > capacity ? 0 : Math.floor(((capacity - used) * SCORE_MAX) / capacity)
}

/** A running pod was resized to less, or finished. */
function shrinks({ object, old }: ClusterEvent): boolean {
  if (old === undefined) return false
  const [now, before] = [podRequests(object as Pod), podRequests(old as Pod)]
  return now.milliCpu < before.milliCpu || now.memory < before.memory || now.ephemeralStorage < before.ephemeralStorage
}

function mayHold(event: ClusterEvent, pod: Pod): boolean {
  const allocatable = toResources(
    (event.object as { status?: { allocatable?: Record<string, string> } }).status?.allocatable,
  )
  const requests = podRequests(pod)
  return (
    requests.milliCpu <= allocatable.milliCpu &&
    requests.memory <= allocatable.memory &&
    requests.ephemeralStorage <= allocatable.ephemeralStorage
  )
}
