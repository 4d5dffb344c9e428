/** Puts pods near the pods they want to be near, and away from those they do not: required terms filter, preferred ones score. */
import type { PodAffinityTerm, Pod, WeightedPodAffinityTerm } from '#api/core/v1.gen.ts'
import { matcherOf } from '#machinery/selectors/label-selector.ts'
import type { NodeInfo } from '../cache/node-info.ts'
import type { PodQuery } from '../cache/pod-counts.ts'
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

export type InterPodAffinityOptions = {
  /** Labels of a namespace, for terms with a namespaceSelector. */
  readonly namespaceLabels: (namespace: string) => Readonly<Record<string, string>>
}

/** A term with its selectors compiled. */
type CompiledTerm = { readonly topologyKey: string; readonly query: PodQuery; readonly matches: (pod: Pod) => boolean }

/** `topologyKey=value` -> number of matching pods (or sum of weights) in that place. */
type TopologyCounts = Map<string, number>

type FilterState = {
  readonly affinity: readonly CompiledTerm[]
  readonly antiAffinity: readonly CompiledTerm[]
  readonly affinityCounts: TopologyCounts
  readonly antiAffinityCounts: TopologyCounts
  /** Places that pods already there keep this one away from. */
  readonly forbidden: TopologyCounts
  /** The pod would satisfy its own terms: the first of a group may start anywhere. */
  readonly matchesItself: boolean
}

const [FILTER_KEY, SCORE_KEY] = ['InterPodAffinity', 'InterPodAffinity/score'] as const
/** A required affinity of a pod that is there counts this much for newcomers it matches (hardPodAffinityWeight). */
const HARD_AFFINITY_WEIGHT = 1

export function createInterPodAffinity(options: InterPodAffinityOptions): Plugin {
  // Terms of pods that are there are read for every newcomer.
  const compiled = new WeakMap<Pod, Map<PodAffinityTerm, CompiledTerm>>()
  const compile = (term: PodAffinityTerm, owner: Pod): CompiledTerm => {
    let terms = compiled.get(owner)
    if (terms === undefined) compiled.set(owner, (terms = new Map()))
    const known = terms.get(term) ?? compileTerm(term, owner, options)
    terms.set(term, known)
    return known
  }
  return {
    name: 'InterPodAffinity',
    preFilter: (state, pod, snapshot) => preFilter(state, pod, snapshot, compile),
    filter,
    withPod: (state, pod, change) => withPod(state, pod, change, compile),
    preScore: (state, pod, _nodes, snapshot) => preScore(state, pod, snapshot, compile),
    score: (state, _pod, { node }) => {
      const sums = state.get(SCORE_KEY) as TopologyCounts
      return Object.entries(node.metadata.labels ?? {}).reduce(
        (sum, [key, value]) => sum + (sums.get(`${key}=${value}`) ?? 0),
        0,
      )
    },
    normalizeScores: (_state, _pod, scores) => normalizeRange(scores),
    isHelpedBy: (_pod: Pod, event: ClusterEvent) =>
      ['node', 'assigned-pod', 'unscheduled-pod'].includes(event.resource),
  }
}

const required = (terms: PodAffinityTerm[] | undefined): readonly PodAffinityTerm[] => terms ?? []
const requiredAffinity = (pod: Pod) =>
  required(pod.spec.affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution)
const requiredAntiAffinity = (pod: Pod) =>
  required(pod.spec.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution)
const preferredAffinity = (pod: Pod): readonly WeightedPodAffinityTerm[] =>
  pod.spec.affinity?.podAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []
const preferredAntiAffinity = (pod: Pod): readonly WeightedPodAffinityTerm[] =>
  pod.spec.affinity?.podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []

function compileTerm(term: PodAffinityTerm, owner: Pod, options: InterPodAffinityOptions): CompiledTerm {
  // A term without a label selector matches no pod.
  const selector = matcherOf(term.labelSelector)
  const namespaceSelector = term.namespaceSelector === undefined ? null : matcherOf(term.namespaceSelector)
  const named = term.namespaces ?? []
  const namespaces = named.length === 0 && namespaceSelector === null ? [owner.metadata.namespace!] : named
  const matches = ({ metadata }: Pod): boolean =>
    (namespaces.includes(metadata.namespace!) ||
      (namespaceSelector?.matches(options.namespaceLabels(metadata.namespace!)) ?? false)) &&
    selector.matches(metadata.labels ?? {})
  // Labels of namespaces change without any pod changing.
  const query: PodQuery =
    namespaceSelector === null
      ? { key: JSON.stringify([namespaces, selector.matchesNothing, selector.toString()]), namespaces, matches }
      : { key: null, namespaces: null, matches }
  return { topologyKey: term.topologyKey, query, matches }
}

/** Pods that match all of the terms at once. */
function queryOfAll(terms: readonly CompiledTerm[]): PodQuery {
  if (terms.length === 1) return terms[0]!.query
  const keys = terms.map(({ query }) => query.key)
  return {
    key: keys.includes(null) ? null : JSON.stringify(keys),
    namespaces: terms[0]!.query.namespaces,
    matches: (pod) => terms.every((term) => term.matches(pod)),
  }
}

/** Adds `amount` for each matching pod to the places where they are. */
function countPlaces(
  counts: TopologyCounts,
  snapshot: Snapshot,
  query: PodQuery,
  places: readonly { readonly topologyKey: string; readonly amount: number }[],
): void {
  for (const [name, matching] of snapshot.countPods(query)) {
    const labels = snapshot.node(name)?.node.metadata.labels
    if (labels === undefined) continue
    for (const { topologyKey, amount } of places) count(counts, labels, topologyKey, matching * amount)
  }
}

function preFilter(
  state: CycleState,
  pod: Pod,
  snapshot: Snapshot,
  compile: (term: PodAffinityTerm, owner: Pod) => CompiledTerm,
): PreFilterResult | null {
  const affinity = requiredAffinity(pod).map((term) => compile(term, pod))
  const antiAffinity = requiredAntiAffinity(pod).map((term) => compile(term, pod))
  const [affinityCounts, antiAffinityCounts, forbidden]: TopologyCounts[] = [new Map(), new Map(), new Map()]
  const matchesItself = affinity.every((term) => term.matches(pod))
  const counted: FilterState = {
    affinity,
    antiAffinity,
    affinityCounts: affinityCounts!,
    antiAffinityCounts: antiAffinityCounts!,
    forbidden: forbidden!,
    matchesItself,
  }
  const places = affinity.map(({ topologyKey }) => ({ topologyKey, amount: 1 }))
  // A pod counts for affinity only when it matches all terms at once.
  if (affinity.length > 0) countPlaces(counted.affinityCounts, snapshot, queryOfAll(affinity), places)
  for (const { topologyKey, query } of antiAffinity)
    countPlaces(counted.antiAffinityCounts, snapshot, query, [{ topologyKey, amount: 1 }])
  for (const node of snapshot.nodes())
    if (node.podsWithAffinity().size > 0)
      for (const info of node.podsWithAffinity().values())
        countForbidden(counted, pod, { info, node: node.node, sign: 1 }, compile)
  if (affinity.length + antiAffinity.length === 0 && forbidden!.size === 0) return { skipFilter: true }
  state.set(FILTER_KEY, counted)
  return null
}

/** The places that a pod which is there keeps this one away from. */
function countForbidden(
  { forbidden }: FilterState,
  pod: Pod,
  { info, node, sign }: PodChange,
  compile: (term: PodAffinityTerm, owner: Pod) => CompiledTerm,
): void {
  if (!info.hasRequiredAntiAffinity) return
  for (const term of requiredAntiAffinity(info.pod).map((raw) => compile(raw, info.pod)))
    if (term.matches(pod)) count(forbidden, node.metadata.labels ?? {}, term.topologyKey, sign)
}

function withPod(
  state: CycleState,
  pod: Pod,
  change: PodChange,
  compile: (term: PodAffinityTerm, owner: Pod) => CompiledTerm,
): void {
  const { affinityCounts, antiAffinityCounts, forbidden, ...rest } = state.get(FILTER_KEY) as FilterState
  const counted = {
    ...rest,
    affinityCounts: new Map(affinityCounts),
    antiAffinityCounts: new Map(antiAffinityCounts),
    forbidden: new Map(forbidden),
  }
  const { info, node, sign } = change
  const labels = node.metadata.labels ?? {}
  countForbidden(counted, pod, change, compile)
  if (rest.affinity.length > 0 && rest.affinity.every((term) => term.matches(info.pod)))
    for (const { topologyKey } of rest.affinity) count(counted.affinityCounts, labels, topologyKey, sign)
  for (const term of rest.antiAffinity)
    if (term.matches(info.pod)) count(counted.antiAffinityCounts, labels, term.topologyKey, sign)
  state.set(FILTER_KEY, counted)
}

function filter(state: CycleState, _pod: Pod, { node }: NodeInfo): Rejection | null {
  const { affinity, antiAffinity, affinityCounts, antiAffinityCounts, forbidden, matchesItself } = state.get(
    FILTER_KEY,
  ) as FilterState
  const labels = node.metadata.labels ?? {}
  const hasAllKeys = affinity.every((term) => labels[term.topologyKey] !== undefined)
  const isNear = affinity.every(
    (term) => (affinityCounts.get(`${term.topologyKey}=${labels[term.topologyKey]}`) ?? 0) > 0,
  )
  const isFirst = affinityCounts.size === 0 && matchesItself
  if (!hasAllKeys || (!isNear && !isFirst)) return unresolvable("node(s) didn't match pod affinity rules")
  if (antiAffinity.some((term) => (antiAffinityCounts.get(`${term.topologyKey}=${labels[term.topologyKey]}`) ?? 0) > 0))
    return unschedulable("node(s) didn't match pod anti-affinity rules")
  if (forbidden.size > 0 && Object.entries(labels).some(([key, value]) => forbidden.has(`${key}=${value}`)))
    return unschedulable("node(s) didn't satisfy existing pods anti-affinity rules")
  return null
}

function count(
  counts: TopologyCounts,
  labels: Readonly<Record<string, string>>,
  topologyKey: string,
  amount: number,
): void {
  const value = labels[topologyKey]
  if (value === undefined) return
  const key = `${topologyKey}=${value}`
  const sum = (counts.get(key) ?? 0) + amount
  if (sum === 0) counts.delete(key)
  else counts.set(key, sum)
}

function preScore(
  state: CycleState,
  pod: Pod,
  snapshot: Snapshot,
  compile: (term: PodAffinityTerm, owner: Pod) => CompiledTerm,
): boolean {
  const own = weightedTerms(pod, compile)
  const sums: TopologyCounts = new Map()
  for (const { term, weight } of own)
    countPlaces(sums, snapshot, term.query, [{ topologyKey: term.topologyKey, amount: weight }])
  for (const node of snapshot.nodes()) {
    if (node.podsWithAffinity().size === 0) continue
    const labels = node.node.metadata.labels ?? {}
    for (const existing of node.podsWithAffinity().values()) {
      for (const { term, weight } of weightedTerms(existing.pod, compile))
        if (term.matches(pod)) count(sums, labels, term.topologyKey, weight)
      for (const raw of requiredAffinity(existing.pod)) {
        const term = compile(raw, existing.pod)
        if (term.matches(pod)) count(sums, labels, term.topologyKey, HARD_AFFINITY_WEIGHT)
      }
    }
  }
  state.set(SCORE_KEY, sums)
  return sums.size > 0
}

function weightedTerms(
  pod: Pod,
  compile: (term: PodAffinityTerm, owner: Pod) => CompiledTerm,
): { term: CompiledTerm; weight: number }[] {
  return [
    ...preferredAffinity(pod).map(({ podAffinityTerm, weight }) => ({ term: compile(podAffinityTerm, pod), weight })),
    ...preferredAntiAffinity(pod).map(({ podAffinityTerm, weight }) => ({
      term: compile(podAffinityTerm, pod),
      weight: -weight,
    })),
  ]
}

/** Sums may be negative: the lowest becomes 0, the highest 100. */
function normalizeRange(scores: number[]): void {
  const [min, max] = [Math.min(...scores), Math.max(...scores)]
  for (const [position, score] of scores.entries())
    scores[position] = max === min ? 0 : Math.floor(((score - min) * SCORE_MAX) / (max - min))
}
