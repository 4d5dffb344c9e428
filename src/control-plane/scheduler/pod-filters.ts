/** The filters of one pod in one cycle, and what-ifs with them: a node with the pods it is promised to, or without pods it has. */
import type { Pod } from '#api/core/v1.gen.ts'
import type { NodeInfo, PodInfo } from './cache/node-info.ts'
import type { CycleState, Plugin, Rejection } from './framework.ts'
import type { Nominator } from './queue/nominator.ts'

/** Which pods are promised a place, and where. */
export type Nominations = Pick<Nominator, 'rivalsOf'>

export class PodFilters {
  readonly #pod: Pod
  readonly #filters: readonly Plugin[]
  readonly #nominations: Nominations
  readonly #state: CycleState

  /** `state` has what the filters' `preFilter` left for the pod. */
  constructor(options: {
    readonly pod: Pod
    readonly filters: readonly Plugin[]
    readonly nominations: Nominations
    readonly state: CycleState
  }) {
    this.#pod = options.pod
    this.#filters = options.filters
    this.#nominations = options.nominations
    this.#state = options.state
  }

  /**
   * The first rejection of the node, or null when the pod fits. It has to fit beside the pods of no lower priority that the node is
   * promised to, and without them too: they may go elsewhere, and the pod's affinity must not rest on them.
   */
  check(node: NodeInfo, state: CycleState = this.#state): Rejection | null {
    const rivals = this.#nominations.rivalsOf(this.#pod, node.name)
    if (rivals.length > 0) {
      const crowded = new Trial(this, node, state)
      for (const rival of rivals) crowded.add(rival)
      const rejection = this.#run(crowded.node, crowded.state)
      if (rejection !== null) return rejection
    }
    return this.#run(node, state)
  }

  /** A copy of the node to add pods to and to remove them from. */
  tryOn(node: NodeInfo): Trial {
    return new Trial(this, node, this.#state)
  }

  apply(state: CycleState, node: NodeInfo, info: PodInfo, sign: 1 | -1): void {
    for (const plugin of this.#filters) plugin.withPod?.(state, this.#pod, { info, node: node.node, sign })
  }

  #run(node: NodeInfo, state: CycleState): Rejection | null {
    for (const plugin of this.#filters) {
      const rejection = plugin.filter!(state, this.#pod, node)
      if (rejection !== null) return { ...rejection, plugin: plugin.name }
    }
    return null
  }
}

/** One node as it would be with other pods on it. */
export class Trial {
  readonly #filters: PodFilters
  readonly node: NodeInfo
  readonly state: CycleState

  constructor(filters: PodFilters, node: NodeInfo, state: CycleState) {
    this.#filters = filters
    this.node = node.withNode(node.node)
    this.state = new Map(state)
  }

  add(info: PodInfo): void {
    this.node.addPod(info)
    this.#filters.apply(this.state, this.node, info, 1)
  }

  remove(info: PodInfo): void {
    this.node.removePod(info.pod.metadata.uid)
    this.#filters.apply(this.state, this.node, info, -1)
  }

  check(): Rejection | null {
    return this.#filters.check(this.node, this.state)
  }
}
