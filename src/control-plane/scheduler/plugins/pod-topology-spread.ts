/** Spreads the pods that a constraint selects evenly over zones, nodes or any other topology. */
import type { Pod, TopologySpreadConstraint } from '#api/core/v1.gen.ts'
import { toleratesTaint } from '#api/core/tolerations.ts'
import { matcherOf } from '#machinery/selectors/label-selector.ts'
import type { NodeInfo } from '../cache/node-info.ts'
import {
  SCORE_MAX,
  unresolvable,
  unschedulable,
  type ClusterEvent,
  type CycleState,
  type Plugin,
  type PreFilterResult,
  type Rejection,
  type Snapshot,
} from '../framework.ts'
import { matchesRequiredNodeAffinity } from './node-affinity.ts'

type Constraint = {
  readonly topologyKey: string
  readonly maxSkew: number
  readonly minDomains: number
  readonly honorsAffinity: boolean
  readonly honorsTaints: boolean
  readonly matches: (labels: Readonly<Record<string, string>>) => boolean
}

/** A constraint with the number of matching pods in each value of its topology key. */
type Counted = { readonly constraint: Constraint; readonly counts: ReadonlyMap<string, number> }

const [FILTER_KEY, SCORE_KEY] = ['PodTopologySpread', 'PodTopologySpread/score'] as const
const MISMATCH = "node(s) didn't match pod topology spread constraints"
/** Marks a node that takes no part because it lacks a topology key. */
const IGNORED = -1

export const podTopologySpread: Plugin = {
  name: 'PodTopologySpread',
  preFilter(state: CycleState, pod: Pod, snapshot: Snapshot): PreFilterResult | null {
    const constraints = compileConstraints(pod, 'DoNotSchedule')
    if (constraints.length === 0) return { skipFilter: true }
    state.set(FILTER_KEY, countPods(constraints, pod, snapshot.nodes()))
    return null
  },
  filter(state: CycleState, pod: Pod, { node }: NodeInfo): Rejection | null {
    for (const { constraint, counts } of state.get(FILTER_KEY) as Counted[]) {
      const value = node.metadata.labels?.[constraint.topologyKey]
      if (value === undefined) return unresolvable(`${MISMATCH} (missing required label)`)
      const least = counts.size < constraint.minDomains ? 0 : Math.min(...counts.values())
      const own = constraint.matches(pod.metadata.labels ?? {}) ? 1 : 0
      if ((counts.get(value) ?? 0) + own - least > constraint.maxSkew) return unschedulable(MISMATCH)
    }
    return null
  },
  preScore(state: CycleState, pod: Pod, nodes: readonly NodeInfo[]): boolean {
    const constraints = compileConstraints(pod, 'ScheduleAnyway')
    if (constraints.length === 0) return false
    state.set(SCORE_KEY, countPods(constraints, pod, nodes))
    return true
  },
  score(state: CycleState, _pod: Pod, { node }: NodeInfo): number {
    const counted = state.get(SCORE_KEY) as Counted[]
    if (counted.some(({ constraint }) => node.metadata.labels?.[constraint.topologyKey] === undefined)) return IGNORED
    return Math.round(
      counted.reduce(
        (sum, { constraint, counts }) =>
          sum + scoreOf(constraint, counts, node.metadata.labels![constraint.topologyKey]!),
        0,
      ),
    )
  },
  normalizeScores(_state: CycleState, _pod: Pod, scores: number[]): void {
    const taking = scores.filter((score) => score !== IGNORED)
    const [min, max] = [Math.min(...taking), Math.max(...taking)]
    for (const [position, score] of scores.entries())
      scores[position] =
        score === IGNORED ? 0 : max === 0 ? SCORE_MAX : Math.floor((SCORE_MAX * (max + min - score)) / max)
  },
  isHelpedBy: (_pod: Pod, event: ClusterEvent): boolean =>
    ['node', 'assigned-pod', 'unscheduled-pod'].includes(event.resource),
}

/** Fewer matching pods are better; the more places there are, the more each one counts. */
function scoreOf({ maxSkew }: Constraint, counts: ReadonlyMap<string, number>, value: string): number {
  return (counts.get(value) ?? 0) * Math.log(counts.size + 2) + (maxSkew - 1)
}

function compileConstraints(pod: Pod, whenUnsatisfiable: string): Constraint[] {
  return (pod.spec.topologySpreadConstraints ?? [])
    .filter((constraint) => constraint.whenUnsatisfiable === whenUnsatisfiable)
    .map((constraint) => compileConstraint(constraint, pod))
}

function compileConstraint(constraint: TopologySpreadConstraint, pod: Pod): Constraint {
  const labels = pod.metadata.labels ?? {}
  const extra = (constraint.matchLabelKeys ?? []).filter((key) => labels[key] !== undefined)
  const selector = constraint.labelSelector === undefined ? null : matcherOf(constraint.labelSelector)
  return {
    topologyKey: constraint.topologyKey,
    maxSkew: constraint.maxSkew,
    minDomains: constraint.minDomains ?? 1,
    honorsAffinity: (constraint.nodeAffinityPolicy ?? 'Honor') === 'Honor',
    honorsTaints: constraint.nodeTaintsPolicy === 'Honor',
    matches: (other) =>
      selector !== null && selector.matches(other) && extra.every((key) => other[key] === labels[key]),
  }
}

function countPods(constraints: readonly Constraint[], pod: Pod, nodes: readonly NodeInfo[]): Counted[] {
  const counted = constraints.map((constraint) => ({ constraint, counts: new Map<string, number>() }))
  for (const info of nodes) {
    const labels = info.node.metadata.labels ?? {}
    // A node without all of the keys takes no part in any of them.
    if (constraints.some(({ topologyKey }) => labels[topologyKey] === undefined)) continue
    for (const { constraint, counts } of counted) {
      if (!takesPart(constraint, pod, info)) continue
      const value = labels[constraint.topologyKey]!
      let matching = counts.get(value) ?? 0
      for (const { pod: existing } of info.pods())
        if (
          existing.metadata.namespace === pod.metadata.namespace &&
          existing.metadata.deletionTimestamp === undefined &&
          constraint.matches(existing.metadata.labels ?? {})
        )
          matching++
      counts.set(value, matching)
    }
  }
  return counted
}

function takesPart({ honorsAffinity, honorsTaints }: Constraint, pod: Pod, { node }: NodeInfo): boolean {
  if (honorsAffinity && !matchesRequiredNodeAffinity(pod, node)) return false
  if (!honorsTaints) return true
  return (node.spec.taints ?? []).every(
    (taint) => taint.effect === 'PreferNoSchedule' || toleratesTaint(pod.spec.tolerations ?? [], taint),
  )
}
