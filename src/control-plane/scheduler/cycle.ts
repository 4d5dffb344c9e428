/** One scheduling cycle: from a pod and a view of the nodes to the best node, or to the reasons why there is none. No I/O. */
import type { RandomSource } from '#base/random.ts'
import type { Pod } from '#api/core/v1.gen.ts'
import type { NodeInfo } from './cache/node-info.ts'
import type { CycleState, Plugin, Rejection, Snapshot, WeightedPlugin } from './framework.ts'
import { PodFilters, type Nominations } from './pod-filters.ts'

export type CycleResult =
  | { readonly outcome: 'fits'; readonly node: string; readonly evaluatedNodes: number; readonly feasibleNodes: number }
  | { readonly outcome: 'no-fit'; readonly diagnosis: Diagnosis }

export type Diagnosis = {
  readonly nodeCount: number
  /** Set when a plugin rejected the pod before any node was looked at. */
  readonly preFilterMessage: string
  readonly rejections: ReadonlyMap<string, Rejection>
  /** Names of the plugins that rejected. */
  readonly rejectedBy: readonly string[]
  readonly filters: PodFilters | null
}

export type CycleOptions = {
  readonly plugins: readonly WeightedPlugin[]
  readonly random: RandomSource
  /** 0: adaptive, as upstream: half of the nodes in small clusters down to a twentieth in large ones. */
  readonly percentageOfNodesToScore: number
  readonly nominations: Nominations
}

/** Below this number all nodes are looked at. */
const FEASIBLE_NODES_MIN = 100
const ADAPTIVE_PERCENT_MIN = 5

export class SchedulingCycle {
  readonly #options: CycleOptions
  readonly #plugins: readonly Plugin[]
  /** Where the next cycle starts to look, so that all nodes get their turn although not all are looked at. */
  #nextStart = 0

  constructor(options: CycleOptions) {
    this.#options = options
    this.#plugins = options.plugins.map(({ plugin }) => plugin)
  }

  run(state: CycleState, pod: Pod, snapshot: Snapshot): CycleResult {
    const all = snapshot.nodes()
    const before = this.#runPreFilters(state, pod, snapshot)
    if (before.rejection !== null) return this.#rejectAll(all.length, before.rejection)
    const filters = this.#filtersFor(state, pod, before.skipped)
    const nominated = this.#nominatedNode(pod, snapshot, filters)
    if (nominated !== null) return fits(nominated, 1, 1)
    const candidates = before.nodeNames === null ? all : all.filter((node) => before.nodeNames!.has(node.name))
    const rejections = new Map<string, Rejection>()
    if (before.nodeNames !== null)
      for (const node of all)
        if (!before.nodeNames.has(node.name))
          rejections.set(node.name, {
            code: 'unresolvable',
            reasons: [`node(s) didn't satisfy plugin(s) [${before.namedBy.join(' ')}]`],
            plugin: before.namedBy[0]!,
          })
    const feasible = this.#findFeasible(filters, candidates, rejections)
    if (feasible.length === 0) return { outcome: 'no-fit', diagnosis: diagnose(all.length, rejections, filters) }
    const node = feasible.length === 1 ? feasible[0]! : this.#selectBest(state, pod, feasible, snapshot)
    return fits(node, feasible.length + rejections.size, feasible.length)
  }

  #filtersFor(state: CycleState, pod: Pod, skipped: ReadonlySet<Plugin>): PodFilters {
    const filters = this.#plugins.filter((plugin) => plugin.filter !== undefined && !skipped.has(plugin))
    return new PodFilters({ pod, filters, state, nominations: this.#options.nominations })
  }

  /** The node that was made free for the pod, when it fits there now: most likely the only one. */
  #nominatedNode(pod: Pod, snapshot: Snapshot, filters: PodFilters): NodeInfo | null {
    const node = snapshot.node(pod.status?.nominatedNodeName ?? '')
    return node !== undefined && filters.check(node) === null ? node : null
  }

  #rejectAll(nodeCount: number, rejection: Rejection): CycleResult {
    const diagnosis: Diagnosis = {
      nodeCount,
      preFilterMessage: rejection.reasons.join(', '),
      rejections: new Map(),
      rejectedBy: rejection.plugin === undefined ? [] : [rejection.plugin],
      filters: null,
    }
    return { outcome: 'no-fit', diagnosis }
  }

  #runPreFilters(state: CycleState, pod: Pod, snapshot: Snapshot) {
    const skipped = new Set<Plugin>()
    const namedBy: string[] = []
    let nodeNames: Set<string> | null = null
    for (const plugin of this.#plugins) {
      const result = plugin.preFilter?.(state, pod, snapshot)
      if (result === undefined || result === null) continue
      if (result.rejection !== undefined)
        return { rejection: { ...result.rejection, plugin: plugin.name }, nodeNames, namedBy, skipped }
      if (result.skipFilter === true) skipped.add(plugin)
      if (result.nodeNames === undefined) continue
      namedBy.push(plugin.name)
      nodeNames = nodeNames === null ? new Set(result.nodeNames) : nodeNames.intersection(result.nodeNames)
    }
    return { rejection: null, nodeNames, namedBy, skipped }
  }

  /** Stops when enough nodes fit: looking at all 5,000 for each pod would buy little. */
  #findFeasible(filters: PodFilters, candidates: readonly NodeInfo[], rejections: Map<string, Rejection>): NodeInfo[] {
    const wanted = feasibleNodesToFind(candidates.length, this.#options.percentageOfNodesToScore)
    const feasible: NodeInfo[] = []
    let looked = 0
    for (; looked < candidates.length && feasible.length < wanted; looked++) {
      const node = candidates[(this.#nextStart + looked) % candidates.length]!
      const rejection = filters.check(node)
      if (rejection === null) feasible.push(node)
      else rejections.set(node.name, rejection)
    }
    this.#nextStart = candidates.length === 0 ? 0 : (this.#nextStart + looked) % candidates.length
    return feasible
  }

  #selectBest(state: CycleState, pod: Pod, nodes: readonly NodeInfo[], snapshot: Snapshot): NodeInfo {
    const totals: number[] = Array.from({ length: nodes.length }, () => 0)
    for (const { plugin, weight } of this.#options.plugins) {
      if (plugin.score === undefined || weight === 0) continue
      if (plugin.preScore?.(state, pod, nodes, snapshot) === false) continue
      const scores = nodes.map((node) => plugin.score!(state, pod, node))
      plugin.normalizeScores?.(state, pod, scores)
      for (const [position, score] of scores.entries()) totals[position]! += score * weight
    }
    return nodes[this.#drawBest(totals)]!
  }

  /** One of the best at random, each with the same chance, so that equal nodes share the load. */
  #drawBest(totals: readonly number[]): number {
    let [best, ties] = [0, 1]
    for (let position = 1; position < totals.length; position++) {
      if (totals[position]! > totals[best]!) [best, ties] = [position, 1]
      else if (totals[position] === totals[best] && this.#options.random.next() < 1 / ++ties) best = position
    }
    return best
  }
}

function fits(node: NodeInfo, evaluatedNodes: number, feasibleNodes: number): CycleResult {
  return { outcome: 'fits', node: node.name, evaluatedNodes, feasibleNodes }
}

export function feasibleNodesToFind(nodeCount: number, percentage: number): number {
  if (nodeCount < FEASIBLE_NODES_MIN || percentage >= 100) return nodeCount
  const percent = percentage === 0 ? Math.max(ADAPTIVE_PERCENT_MIN, 50 - Math.floor(nodeCount / 125)) : percentage
  return Math.max(FEASIBLE_NODES_MIN, Math.floor((nodeCount * percent) / 100))
}

function diagnose(nodeCount: number, rejections: ReadonlyMap<string, Rejection>, filters: PodFilters): Diagnosis {
  const rejectedBy = new Set(
    [...rejections.values()].map((rejection) => rejection.plugin).filter((name) => name !== undefined),
  )
  return { nodeCount, preFilterMessage: '', rejections, rejectedBy: [...rejectedBy], filters }
}

/** `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint(s).` with upstream's order and marks. */
export function formatDiagnosis(diagnosis: Diagnosis, postFilterMessage: string): string {
  let text = `0/${diagnosis.nodeCount} nodes are available:`
  if (diagnosis.preFilterMessage === '') {
    const counts = countReasons(diagnosis.rejections.values())
    if (counts !== '') text += ` ${counts}.`
  } else text += ` ${diagnosis.preFilterMessage}.`
  return postFilterMessage === '' ? text : `${text} ${postFilterMessage}`
}

/** `1 Insufficient cpu, 2 node(s) were unschedulable`, sorted as text like upstream. */
export function countReasons(rejections: Iterable<Pick<Rejection, 'reasons'>>): string {
  const counts = new Map<string, number>()
  for (const { reasons } of rejections) for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1)
  return [...counts]
    .map(([reason, count]) => `${count} ${reason}`)
    .toSorted()
    .join(', ')
}
