/** Decides, without any I/O, on which nodes a DaemonSet creates pods and which of its pods it deletes. */
import type { DaemonSet, DaemonSetStatus } from '#api/apps/v1.gen.ts'
import type { Node, Pod } from '#api/core/v1.gen.ts'
import { intValue, percentOf } from '#machinery/int-or-string.ts'
import { REVISION_HASH_LABEL } from '../history/controller-revisions.ts'
import { isPodAvailable, isPodReady } from '../pods/pod-state.ts'
import { fitOf } from './node-fit.ts'

const GENERATION_LABEL = 'pod-template-generation'
const GENERATION_ANNOTATION = 'deprecated.daemonset.template.generation'

export type DaemonView = {
  readonly set: DaemonSet
  readonly nodes: readonly Node[]
  readonly podsByNode: ReadonlyMap<string, readonly Pod[]>
  /** Of the present template. */
  readonly hash: string
  readonly nowMs: number
}

export type Plan = {
  /** Names of nodes that get a pod. */
  readonly create: readonly string[]
  readonly delete: readonly Pod[]
  /** Pods that ended; deleted too, but not without a pause. */
  readonly ended: readonly Pod[]
}

/** The node that a pod is made for, also before the scheduler has bound it. */
export function targetNodeOf({ spec }: Pod): string {
  if (spec.nodeName !== undefined && spec.nodeName !== '') return spec.nodeName
  const terms = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []
  for (const { matchFields = [] } of terms)
    for (const { key, operator, values = [] } of matchFields)
      if (key === 'metadata.name' && operator === 'In' && values.length === 1) return values[0]!
  return ''
}

export function generationOf(set: DaemonSet): string | undefined {
  return set.metadata.annotations?.[GENERATION_ANNOTATION]
}

export function isUpdated({ set, hash }: DaemonView, { metadata: { labels = {} } }: Pod): boolean {
  const generation = generationOf(set)
  return (
    (hash !== '' && labels[REVISION_HASH_LABEL] === hash) ||
    (generation !== undefined && labels[GENERATION_LABEL] === generation)
  )
}

/** One pod where it belongs, none elsewhere. */
export function planNodes(view: DaemonView): Plan {
  const create: string[] = []
  const doomed: Pod[] = []
  const ended: Pod[] = []
  const spec = view.set.spec.template.spec!
  const surges = maxSurgeOf(view) > 0
  for (const node of view.nodes) {
    const pods = view.podsByNode.get(node.metadata.name) ?? []
    const fit = fitOf(spec, node)
    if (fit.run && pods.length === 0) create.push(node.metadata.name)
    else if (!fit.continue) doomed.push(...pods.filter(isStaying))
    else {
      const running = pods.filter(isStaying).toSorted(byCreation)
      const finished = running.filter(({ status }) => status?.phase === 'Failed' || status?.phase === 'Succeeded')
      ended.push(...finished)
      const alive = running.filter((pod) => !finished.includes(pod))
      const groups = surges
        ? [alive.filter((pod) => isUpdated(view, pod)), alive.filter((pod) => !isUpdated(view, pod))]
        : [alive]
      for (const group of groups) doomed.push(...group.slice(1))
    }
  }
  return { create, delete: [...doomed, ...strayPods(view)], ended }
}

/** Pods that wait for nodes which are gone. */
function strayPods({ nodes, podsByNode }: DaemonView): Pod[] {
  const names = new Set(nodes.map(({ metadata }) => metadata.name))
  return [...podsByNode]
    .filter(([node]) => !names.has(node))
    .flatMap(([, pods]) => pods.filter((pod) => isStaying(pod) && !pod.spec.nodeName))
}

/** Replaces old pods as fast as maxUnavailable and maxSurge allow. */
export function planRollout(view: DaemonView): { create: string[]; delete: Pod[] } {
  if (view.set.spec.updateStrategy?.type === 'OnDelete') return { create: [], delete: [] }
  return maxSurgeOf(view) > 0 ? planSurge(view) : planReplacement(view)
}

function planReplacement(view: DaemonView): { create: string[]; delete: Pod[] } {
  let unavailable = 0
  const free: Pod[] = []
  const candidates: Pod[] = []
  for (const { updated, old, isClear } of nodeStates(view)) {
    if (!isClear || (updated === undefined) === (old === undefined)) unavailable++
    else if (updated !== undefined) unavailable += isAvailable(view, updated) ? 0 : 1
    else if (isAvailable(view, old!)) candidates.push(old!)
    else {
      free.push(old!)
      unavailable++
    }
  }
  const left = Math.max(0, boundOf(view, 'maxUnavailable', 1) - unavailable)
  return { create: [], delete: [...free, ...candidates.slice(0, left)] }
}

function planSurge(view: DaemonView): { create: string[]; delete: Pod[] } {
  const doomed: Pod[] = []
  const candidates: string[] = []
  const free: string[] = []
  let surging = 0
  for (const { node, updated, old, isClear } of nodeStates(view)) {
    if (!isClear) surging++
    else if (old === undefined) continue
    else if (updated === undefined) (isAvailable(view, old) ? candidates : free).push(node)
    else if (isAvailable(view, updated)) doomed.push(old)
    else surging++
  }
  return { create: [...free, ...candidates.slice(0, Math.max(0, maxSurgeOf(view) - surging))], delete: doomed }
}

type NodeState = { node: string; updated: Pod | undefined; old: Pod | undefined; isClear: boolean }

/** The updated and the old pod of each node; not clear when there are more than one of a sort. */
function nodeStates(view: DaemonView): NodeState[] {
  const spec = view.set.spec.template.spec!
  return view.nodes
    .filter((node) => fitOf(spec, node).run)
    .map((node) => {
      const pods = (view.podsByNode.get(node.metadata.name) ?? []).filter(isStaying)
      const updated = pods.filter((pod) => isUpdated(view, pod))
      const old = pods.filter((pod) => !isUpdated(view, pod))
      const isClear = updated.length <= 1 && old.length <= 1
      return { node: node.metadata.name, updated: updated[0], old: old[0], isClear }
    })
}

function maxSurgeOf(view: DaemonView): number {
  return view.set.spec.updateStrategy?.type === 'OnDelete' ? 0 : boundOf(view, 'maxSurge', 0)
}

function boundOf({ set, nodes }: DaemonView, field: 'maxSurge' | 'maxUnavailable', fallback: number): number {
  const value = set.spec.updateStrategy?.rollingUpdate?.[field] ?? fallback
  const desired = nodes.filter((node) => fitOf(set.spec.template.spec!, node).run).length
  return percentOf(value, desired, 'up') ?? intValue(value)
}

export function planStatus(view: DaemonView): DaemonSetStatus {
  const { set, nodes, podsByNode } = view
  const counts = { desired: 0, current: 0, misscheduled: 0, ready: 0, available: 0, updated: 0 }
  for (const node of nodes) {
    const pods = (podsByNode.get(node.metadata.name) ?? []).toSorted(byCreation)
    if (!fitOf(set.spec.template.spec!, node).run) {
      if (pods.length > 0) counts.misscheduled++
      continue
    }
    counts.desired++
    if (pods.length === 0) continue
    counts.current++
    // With surge two pods may be there: the node is ready when one of them is.
    if (pods.some(isPodReady)) counts.ready++
    if (pods.some((pod) => isAvailable(view, pod))) counts.available++
    if (pods.some((pod) => isUpdated(view, pod))) counts.updated++
  }
  return {
    ...set.status,
    desiredNumberScheduled: counts.desired,
    currentNumberScheduled: counts.current,
    numberMisscheduled: counts.misscheduled,
    numberReady: counts.ready,
    updatedNumberScheduled: counts.updated,
    numberAvailable: counts.available,
    numberUnavailable: counts.desired - counts.available,
    observedGeneration: set.metadata.generation ?? 0,
  }
}

function isAvailable({ set, nowMs }: DaemonView, pod: Pod): boolean {
  return isPodAvailable(pod, set.spec.minReadySeconds ?? 0, nowMs)
}

const isStaying = ({ metadata }: Pod): boolean => metadata.deletionTimestamp === undefined

function byCreation(left: Pod, right: Pod): number {
  return left.metadata.creationTimestamp < right.metadata.creationTimestamp ? -1 : 1
}
