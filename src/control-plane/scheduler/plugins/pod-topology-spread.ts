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
  type PodChange,
  type PreFilterResult,
  type Rejection,
  type Snapshot,
} from '../framework.ts'
import { defaultSelectorOf, type LabelTest, type WorkloadListers } from './default-selector.ts'
import { matchesRequiredNodeAffinity } from './node-affinity.ts'
import { TopologyCounts } from './topology-counts.ts'

type Constraint = {
  readonly topologyKey: string
  readonly maxSkew: number
  readonly minDomains: number
  readonly honorsAffinity: boolean
  readonly honorsTaints: boolean
  readonly matches: LabelTest
}

/** A constraint with the number of matching pods in each value of its topology key. */
type Counted = { readonly constraint: Constraint; readonly counts: TopologyCounts }

/** `counts` is null where each node is a place of its own: its pods are counted when it is scored. */
type Scored = {
  readonly constraint: Constraint
  readonly weight: number
  readonly counts: ReadonlyMap<string, number> | null
}
type ScoreState = { readonly scored: readonly Scored[]; readonly needsAllKeys: boolean }

const [FILTER_KEY, SCORE_KEY] = ['PodTopologySpread', 'PodTopologySpread/score'] as const
const MISMATCH = "node(s) didn't match pod topology spread constraints"
const HOSTNAME = 'kubernetes.io/hostname'
/** Marks a node that takes no part because it lacks a topology key. */
const IGNORED = -1

/** How pods that have no constraints but belong to a Service or a workload are spread (defaultingType System). */
const SYSTEM_DEFAULTS = [
  { topologyKey: HOSTNAME, maxSkew: 3, whenUnsatisfiable: 'ScheduleAnyway' },
  { topologyKey: 'topology.kubernetes.io/zone', maxSkew: 5, whenUnsatisfiable: 'ScheduleAnyway' },
] as const satisfies readonly TopologySpreadConstraint[]

export function createPodTopologySpread(listers: WorkloadListers): Plugin {
  return {
    name: 'PodTopologySpread',
    preFilter,
    filter,
    withPod,
    preScore: (state, pod, nodes, snapshot) => preScore(state, pod, nodes, snapshot, listers),
    score,
    normalizeScores: (_state, _pod, scores) => normalizeScores(scores),
    isHelpedBy: (_pod: Pod, event: ClusterEvent): boolean =>
      ['node', 'assigned-pod', 'unscheduled-pod'].includes(event.resource),
  }
}

function preFilter(state: CycleState, pod: Pod, snapshot: Snapshot): PreFilterResult | null {
  const constraints = compileConstraints(pod, 'DoNotSchedule')
  if (constraints.length === 0) return { skipFilter: true }
  const all = constraints.map((constraint) => ({ constraint, counts: new Map<string, number>() }))
  for (const node of snapshot.nodes()) {
    if (!hasAllKeys(node, constraints)) continue
    for (const { constraint, counts } of all)
      if (takesPart(constraint, pod, node))
        add(counts, valueOf(node, constraint)!, countMatching(node, constraint, pod))
  }
  const counted: Counted[] = all.map(({ constraint, counts }) => ({ constraint, counts: new TopologyCounts(counts) }))
  state.set(FILTER_KEY, counted)
  return null
}

function filter(state: CycleState, pod: Pod, node: NodeInfo): Rejection | null {
  for (const { constraint, counts } of state.get(FILTER_KEY) as Counted[]) {
    const value = valueOf(node, constraint)
    if (value === undefined) return unresolvable(`${MISMATCH} (missing required label)`)
    const least = counts.size < constraint.minDomains ? 0 : counts.minimum()
    const own = constraint.matches(pod.metadata.labels ?? {}) ? 1 : 0
    if (counts.get(value) + own - least > constraint.maxSkew) return unschedulable(MISMATCH)
  }
  return null
}

function withPod(state: CycleState, pod: Pod, { info, node, sign }: PodChange): void {
  const { namespace, labels } = info.pod.metadata
  const counted = state.get(FILTER_KEY) as Counted[]
  const isCounted =
    namespace === pod.metadata.namespace &&
    counted.every(({ constraint }) => node.metadata.labels?.[constraint.topologyKey] !== undefined)
  if (!isCounted) return
  const changed = counted.map((entry) =>
    entry.constraint.matches(labels ?? {}) && takesPart(entry.constraint, pod, { node })
      ? { ...entry, counts: entry.counts.plus(node.metadata.labels![entry.constraint.topologyKey]!, sign) }
      : entry,
  )
  state.set(FILTER_KEY, changed)
}

function preScore(
  state: CycleState,
  pod: Pod,
  nodes: readonly NodeInfo[],
  snapshot: Snapshot,
  listers: WorkloadListers,
): boolean {
  // The defaults also spread over nodes that have no zone; constraints of the pod itself demand all keys.
  const needsAllKeys = (pod.spec.topologySpreadConstraints ?? []).length > 0
  const constraints = needsAllKeys ? compileConstraints(pod, 'ScheduleAnyway') : defaultConstraints(pod, listers)
  if (constraints.length === 0) return false
  const taking = needsAllKeys ? nodes.filter((node) => hasAllKeys(node, constraints)) : nodes
  const scored = constraints.map((constraint): Scored => {
    if (constraint.topologyKey === HOSTNAME) return { constraint, weight: weightOf(taking.length), counts: null }
    const counts = new Map(taking.map((node) => [valueOf(node, constraint) ?? '', 0]))
    return { constraint, weight: weightOf(counts.size), counts }
  })
  const byValue = scored.flatMap(({ constraint, counts }) =>
    counts === null ? [] : [{ constraint, counts: counts as Map<string, number> }],
  )
  for (const node of byValue.length === 0 ? [] : snapshot.nodes()) {
    if (needsAllKeys && !hasAllKeys(node, constraints)) continue
    for (const { constraint, counts } of byValue) {
      const value = valueOf(node, constraint) ?? ''
      if (counts.has(value) && takesPart(constraint, pod, node))
        add(counts, value, countMatching(node, constraint, pod))
    }
  }
  state.set(SCORE_KEY, { scored, needsAllKeys } satisfies ScoreState)
  return true
}

/** Fewer matching pods are better; the more places there are, the more each one counts. */
function score(state: CycleState, pod: Pod, node: NodeInfo): number {
  const { scored, needsAllKeys } = state.get(SCORE_KEY) as ScoreState
  let sum = 0
  for (const { constraint, weight, counts } of scored) {
    const value = valueOf(node, constraint)
    if (value === undefined && needsAllKeys) return IGNORED
    if (value === undefined) continue
    const matching = counts === null ? countMatching(node, constraint, pod) : (counts.get(value) ?? 0)
    sum += matching * weight + (constraint.maxSkew - 1)
  }
  return Math.round(sum)
}

function normalizeScores(scores: number[]): void {
  const taking = scores.filter((raw) => raw !== IGNORED)
  const [min, max] = [Math.min(...taking), Math.max(...taking)]
  for (const [position, raw] of scores.entries())
    scores[position] = raw === IGNORED ? 0 : max === 0 ? SCORE_MAX : Math.floor((SCORE_MAX * (max + min - raw)) / max)
}

const weightOf = (places: number): number => Math.log(places + 2)

const valueOf = ({ node }: NodeInfo, { topologyKey }: Constraint): string | undefined =>
  node.metadata.labels?.[topologyKey]

const hasAllKeys = (node: NodeInfo, constraints: readonly Constraint[]): boolean =>
  constraints.every((constraint) => valueOf(node, constraint) !== undefined)

function add(counts: Map<string, number>, value: string, amount: number): void {
  counts.set(value, (counts.get(value) ?? 0) + amount)
}

function compileConstraints(pod: Pod, whenUnsatisfiable: string): Constraint[] {
  return (pod.spec.topologySpreadConstraints ?? [])
    .filter((constraint) => constraint.whenUnsatisfiable === whenUnsatisfiable)
    .map((constraint) => compileConstraint(constraint, pod))
}

function defaultConstraints(pod: Pod, listers: WorkloadListers): Constraint[] {
  const matches = defaultSelectorOf(pod, listers)
  return matches === null
    ? []
    : SYSTEM_DEFAULTS.map((constraint) => ({ ...compileConstraint(constraint, pod), matches }))
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

function countMatching(node: NodeInfo, constraint: Constraint, pod: Pod): number {
  let matching = 0
  for (const { pod: existing } of node.pods())
    if (
      existing.metadata.namespace === pod.metadata.namespace &&
      existing.metadata.deletionTimestamp === undefined &&
      constraint.matches(existing.metadata.labels ?? {})
    )
      matching++
  return matching
}

function takesPart({ honorsAffinity, honorsTaints }: Constraint, pod: Pod, { node }: Pick<NodeInfo, 'node'>): boolean {
  if (honorsAffinity && !matchesRequiredNodeAffinity(pod, node)) return false
  if (!honorsTaints) return true
  return (node.spec.taints ?? []).every(
    (taint) => taint.effect === 'PreferNoSchedule' || toleratesTaint(pod.spec.tolerations ?? [], taint),
  )
}
