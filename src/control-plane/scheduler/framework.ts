/** What a scheduler plugin is: one object that fills the extension points it needs; plugins/index.ts lists them in order. */
import type { Node, Pod } from '#api/core/v1.gen.ts'
import type { Client } from '#client/client.ts'
import type { NodeInfo, PodInfo } from './cache/node-info.ts'
import type { PodQuery } from './cache/pod-counts.ts'
import type { PodFilters } from './pod-filters.ts'

/**
 * Why a node (or a pod as a whole) was rejected. 'unresolvable': no eviction of other pods would help. 'pending': waits for somebody
 * outside, such as a gate. `plugin` is filled in by the framework.
 */
export type Rejection = {
  readonly code: 'unschedulable' | 'unresolvable' | 'pending'
  readonly reasons: readonly string[]
  readonly plugin?: string
}

export function unschedulable(...reasons: string[]): Rejection {
  return { code: 'unschedulable', reasons }
}

export function unresolvable(...reasons: string[]): Rejection {
  return { code: 'unresolvable', reasons }
}

/** Data that one plugin keeps for one pod between the extension points of one cycle, under its own name. */
export type CycleState = Map<string, unknown>

/** Read-only view of the nodes in one cycle; nothing changes while a cycle runs. */
export interface Snapshot {
  nodes(): readonly NodeInfo[]
  node(name: string): NodeInfo | undefined
  /** How many nodes have the image. */
  imageNodeCount(image: string): number
  /** Node name -> number of matching pods on it; nodes without any are left out, and some may be unknown. */
  countPods(query: PodQuery): ReadonlyMap<string, number>
}

/** A pod that is imagined to come to a node, or to leave it. */
export type PodChange = { readonly info: PodInfo; readonly node: Node; readonly sign: 1 | -1 }

export type PreFilterResult = {
  /** Only these nodes can fit; undefined: all. */
  readonly nodeNames?: ReadonlySet<string>
  readonly rejection?: Rejection
  /** The plugin has nothing to filter for this pod. */
  readonly skipFilter?: boolean
}

/** Something in the cluster changed, which may let waiting pods in. */
export type ClusterEvent = {
  readonly resource:
    | 'node'
    | 'assigned-pod'
    | 'unscheduled-pod'
    | 'claim'
    | 'volume'
    | 'storage-class'
    | 'storage-capacity'
    | 'csi-driver'
    | 'csi-node'
  readonly action: 'add' | 'update' | 'delete'
  readonly object: unknown
  readonly old?: unknown
}

export interface Plugin {
  readonly name: string
  /** Keeps a pod out of the queue while it returns a rejection. */
  preEnqueue?(pod: Pod): Rejection | null
  preFilter?(state: CycleState, pod: Pod, snapshot: Snapshot): PreFilterResult | null
  filter?(state: CycleState, pod: Pod, node: NodeInfo): Rejection | null
  /**
   * Makes the state of `preFilter` as if the change had happened. `state` is a shallow copy: entries are replaced, never modified. All
   * changes of one copy are about one node.
   */
  withPod?(state: CycleState, pod: Pod, change: PodChange): void
  /** Called when no node fits. */
  postFilter?(state: CycleState, pod: Pod, diagnosis: FilterDiagnosis, snapshot: Snapshot): Promise<PostFilterResult>
  /** False: the plugin does not score this pod. */
  preScore?(state: CycleState, pod: Pod, nodes: readonly NodeInfo[], snapshot: Snapshot): boolean
  /** 0 to 100, or any number when `normalizeScores` brings all of them there. */
  score?(state: CycleState, pod: Pod, node: NodeInfo): number
  normalizeScores?(state: CycleState, pod: Pod, scores: number[]): void
  /** Keeps something for the pod on the node; undone by `unreserve` (idempotent) when the pod is not bound after all. */
  reserve?(state: CycleState, pod: Pod, node: string): Rejection | null
  unreserve?(state: CycleState, pod: Pod, node: string): void
  /** May hold the binding back; the promise rejects or resolves with a rejection to give up. */
  permit?(state: CycleState, pod: Pod, node: string): Promise<Rejection | null>
  /** Whether `preBind` will have to wait for others, so that the choice of the node is worth telling before. */
  willPreBind?(state: CycleState, pod: Pod, node: string): boolean
  preBind?(state: CycleState, pod: Pod, node: string, signal: AbortSignal): Promise<Rejection | null>
  /** True when it has bound the pod; false leaves it to the next plugin. */
  bind?(state: CycleState, pod: Pod, node: string, client: Client, signal: AbortSignal): Promise<boolean>
  /**
   * Whether the event may make a pod schedulable that this plugin rejected (upstream's queueing hint). Missing: never.
   */
  isHelpedBy?(pod: Pod, event: ClusterEvent): boolean
}

export type FilterDiagnosis = {
  /** Rejection by node name; nodes that are absent were not tried. */
  readonly rejections: ReadonlyMap<string, Rejection>
  readonly nodeCount: number
  /** The filters that rejected, for what-ifs; null when no node was looked at. */
  readonly filters: PodFilters | null
}

/** `nominatedNode`: the node that is being made free for the pod; empty takes back what was promised before, null leaves it. */
export type PostFilterResult = { readonly nominatedNode: string | null; readonly message: string }

/** A plugin with its weight for scores. */
export type WeightedPlugin = { readonly plugin: Plugin; readonly weight: number }

export const SCORE_MAX = 100
