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
  readonly test: LabelTest
}

/** A constraint with the number of matching pods in each value of its topology key. */
type Counted = { readonly constraint: Constraint; readonly counts: TopologyCounts }

/** `byValue` is null where each node is a place of its own. */
type Scored = {
  readonly constraint: Constraint
  readonly weight: number
  readonly byNode: ReadonlyMap<string, number>
  readonly byValue: ReadonlyMap<string, number> | null
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
  const all = constraints.map((constraint) => ({
    constraint,
    byNode: countMatching(snapshot, constraint, pod),
    counts: new Map<string, number>(),
  }))
  for (const node of snapshot.nodes()) {
    if (!hasAllKeys(node, constraints)) continue
    for (const { constraint, byNode, counts } of all)
      if (takesPart(constraint, pod, node)) add(counts, valueOf(node, constraint)!, byNode.get(node.name) ?? 0)
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
    const own = constraint.test.matches(pod.metadata.labels ?? {}) ? 1 : 0
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
    entry.constraint.test.matches(labels ?? {}) && takesPart(entry.constraint, pod, { node })
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
    const byNode = countMatching(snapshot, constraint, pod)
    if (constraint.topologyKey === HOSTNAME)
      return { constraint, weight: weightOf(taking.length), byNode, byValue: null }
    const byValue = new Map(taking.map((node) => [valueOf(node, constraint) ?? '', 0]))
    for (const [name, matching] of byNode) {
      const node = snapshot.node(name)
      if (node === undefined || (needsAllKeys && !hasAllKeys(node, constraints))) continue
      const value = valueOf(node, constraint) ?? ''
      if (byValue.has(value) && takesPart(constraint, pod, node)) add(byValue, value, matching)
    }
    return { constraint, weight: weightOf(byValue.size), byNode, byValue }
  })
  state.set(SCORE_KEY, { scored, needsAllKeys } satisfies ScoreState)
  return true
}

/** Fewer matching pods are better; the more places there are, the more each one counts. */
function score(state: CycleState, _pod: Pod, node: NodeInfo): number {
  const { scored, needsAllKeys } = state.get(SCORE_KEY) as ScoreState
  let sum = 0
  for (const { constraint, weight, byNode, byValue } of scored) {
    const value = valueOf(node, constraint)
    if (value === undefined && needsAllKeys) return IGNORED
    if (value === undefined) continue
    const matching = (byValue === null ? byNode.get(node.name) : byValue.get(value)) ?? 0
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
  const test = defaultSelectorOf(pod, listers)
  return test === null ? [] : SYSTEM_DEFAULTS.map((constraint) => ({ ...compileConstraint(constraint, pod), test }))
}

function compileConstraint(constraint: TopologySpreadConstraint, pod: Pod): Constraint {
  const labels = pod.metadata.labels ?? {}
  const extra = (constraint.matchLabelKeys ?? []).filter((key) => labels[key] !== undefined)
  const selector = matcherOf(constraint.labelSelector)
  return {
    topologyKey: constraint.topologyKey,
    maxSkew: constraint.maxSkew,
    minDomains: constraint.minDomains ?? 1,
    honorsAffinity: (constraint.nodeAffinityPolicy ?? 'Honor') === 'Honor',
    honorsTaints: constraint.nodeTaintsPolicy === 'Honor',
    test: {
      key: JSON.stringify([selector.matchesNothing, selector.toString(), extra.map((key) => [key, labels[key]])]),
      matches: (other) => selector.matches(other) && extra.every((key) => other[key] === labels[key]),
    },
  }
}

/** Node name -> number of the pod's kind on it; those that are ending make room already. */
function countMatching(snapshot: Snapshot, { test }: Constraint, pod: Pod): ReadonlyMap<string, number> {
  const { namespace } = pod.metadata
  return snapshot.countPods({
    key: `PodTopologySpread ${namespace} ${test.key}`,
    namespaces: [namespace!],
    matches: ({ metadata }) => metadata.deletionTimestamp === undefined && test.matches(metadata.labels ?? {}),
  })
}

function takesPart({ honorsAffinity, honorsTaints }: Constraint, pod: Pod, { node }: Pick<NodeInfo, 'node'>): boolean {
  if (honorsAffinity && !matchesRequiredNodeAffinity(pod, node)) return false
  if (!honorsTaints) return true
  return (node.spec.taints ?? []).every(
    (taint) => taint.effect === 'PreferNoSchedule' || toleratesTaint(pod.spec.tolerations ?? [], taint),
  )
}
