/** Decides, without any I/O, the next step of a StatefulSet: which pods are created and deleted, in the order of ordinals. */
import type { StatefulSet, StatefulSetStatus } from '#api/apps/v1.gen.ts'
import type { Pod } from '#api/core/v1.gen.ts'
import { intValue, percentOf } from '#machinery/int-or-string.ts'
import { isPodAvailable, isPodReady, isPodTerminal } from '../pods/pod-state.ts'
import { ordinalOf, revisionOf } from './identity.ts'

export type SetView = {
  readonly set: StatefulSet
  readonly pods: readonly Pod[]
  /** Names of the revisions that pods have, and shall have. */
  readonly current: string
  readonly update: string
  readonly nowMs: number
}

export type Plan = {
  readonly create: readonly { readonly ordinal: number; readonly revision: string }[]
  readonly delete: readonly Pod[]
}

export function startOf({ spec }: StatefulSet): number {
  return spec.ordinals?.start ?? 0
}

export function replicasOf({ spec }: StatefulSet): number {
  return spec.replicas ?? 1
}

export function planPods(view: SetView): Plan {
  const { set } = view
  const isParallel = set.spec.podManagementPolicy === 'Parallel'
  const plan = { create: [] as { ordinal: number; revision: string }[], delete: [] as Pod[] }
  const scale = isParallel ? scaleInParallel : scaleInOrder
  const isSettled = scale(view, plan)
  return isSettled && plan.create.length + plan.delete.length === 0 ? { create: [], delete: planUpdate(view) } : plan
}

type Draft = { create: { ordinal: number; revision: string }[]; delete: Pod[] }

/** True when every pod is there and healthy and none is too many: the update may go on. */
function scaleInOrder(view: SetView, plan: Draft): boolean {
  for (const { ordinal, pod } of slotsOf(view)) {
    if (pod === undefined) {
      plan.create.push({ ordinal, revision: revisionFor(view, ordinal) })
      return false
    }
    if (isPodTerminal(pod) && !isTerminating(pod)) {
      plan.delete.push(pod)
      return false
    }
    // A broken pod of the old revision may be replaced by the update; its successors wait.
    if (isTerminating(pod) || !isHealthy(view, pod)) return revisionOf(pod) !== view.update && !isTerminating(pod)
  }
  const condemned = condemnedOf(view)
  const [last] = condemned
  if (last === undefined) return true
  const firstUnhealthy = condemned.findLast((pod) => isTerminating(pod) || !isRunningAndReady(pod))
  if (isTerminating(last) || (!isRunningAndReady(last) && last !== firstUnhealthy)) return false
  plan.delete.push(last)
  return false
}

function scaleInParallel(view: SetView, plan: Draft): boolean {
  for (const { ordinal, pod } of slotsOf(view))
    if (pod === undefined) plan.create.push({ ordinal, revision: revisionFor(view, ordinal) })
    else if (isPodTerminal(pod) && !isTerminating(pod)) plan.delete.push(pod)
  plan.delete.push(...condemnedOf(view).filter((pod) => !isTerminating(pod)))
  return true
}

type Slot = { readonly ordinal: number; readonly pod: Pod | undefined }

function slotsOf({ set, pods }: SetView): Slot[] {
  const byOrdinal = new Map(pods.map((pod) => [ordinalOf(set, pod), pod]))
  const start = startOf(set)
  return Array.from({ length: replicasOf(set) }, (_, index) => ({
    ordinal: start + index,
    pod: byOrdinal.get(start + index),
  }))
}

/** Pods outside the range, the highest ordinal first. */
export function condemnedOf({ set, pods }: Pick<SetView, 'set' | 'pods'>): Pod[] {
  const [start, end] = [startOf(set), startOf(set) + replicasOf(set)]
  return pods
    .filter((pod) => ordinalOf(set, pod)! < start || ordinalOf(set, pod)! >= end)
    .toSorted((left, right) => ordinalOf(set, right)! - ordinalOf(set, left)!)
}

function partitionOf({ spec }: StatefulSet): number {
  return spec.updateStrategy?.rollingUpdate?.partition ?? 0
}

/** The revision of a pod that is missing: those that the update has not reached yet come back as they were. */
function revisionFor({ set, pods, current, update }: SetView, ordinal: number): string {
  if (set.spec.updateStrategy?.type === 'OnDelete') return update
  const index = ordinal - startOf(set)
  const partition = partitionOf(set)
  const remaining = pods.filter((pod) => !isTerminating(pod) && revisionOf(pod) === current).length
  const isOld = index < (partition === 0 ? remaining : partition)
  return isOld ? current : update
}

/** The pods that the update replaces next, from the highest ordinal down to the partition. */
function planUpdate(view: SetView): Pod[] {
  const { set, update } = view
  if (set.spec.updateStrategy?.type === 'OnDelete') return []
  const slots = slotsOf(view)
  const maxUnavailable = maxUnavailableOf(set)
  let unavailable = slots.filter(({ pod }) => pod === undefined || isTerminating(pod) || !isHealthy(view, pod)).length
  const doomed: Pod[] = []
  for (const { pod } of slots.slice(partitionOf(set)).toReversed()) {
    if (pod === undefined || isTerminating(pod)) continue
    if (revisionOf(pod) === update) {
      if (!isHealthy(view, pod) && unavailable >= maxUnavailable) break
      continue
    }
    const isFree = !isHealthy(view, pod) // It counts as unavailable already.
    if (!isFree && unavailable >= maxUnavailable) break
    if (!isFree) unavailable++
    doomed.push(pod)
    if (doomed.length >= maxUnavailable) break
  }
  return doomed
}

function maxUnavailableOf(set: StatefulSet): number {
  const value = set.spec.updateStrategy?.rollingUpdate?.maxUnavailable ?? 1
  return Math.max(1, percentOf(value, replicasOf(set), 'up') ?? intValue(value))
}

export function planStatus(view: SetView): StatefulSetStatus {
  const { set, pods, current, update } = view
  const count = (holds: (pod: Pod) => boolean): number => pods.filter(holds).length
  const updated = count((pod) => !isTerminating(pod) && revisionOf(pod) === update)
  const status = {
    ...set.status,
    replicas: pods.length,
    readyReplicas: count(isRunningAndReady),
    availableReplicas: count((pod) => isHealthy(view, pod)),
    currentReplicas: count((pod) => !isTerminating(pod) && revisionOf(pod) === current),
    updatedReplicas: updated,
    currentRevision: current,
    updateRevision: update,
    observedGeneration: set.metadata.generation ?? 0,
  }
  const isComplete =
    set.spec.updateStrategy?.type !== 'OnDelete' &&
    updated === status.replicas &&
    status.readyReplicas === status.replicas &&
    status.replicas === replicasOf(set)
  return isComplete ? { ...status, currentRevision: update, currentReplicas: updated } : status
}

const isTerminating = ({ metadata }: Pod): boolean => metadata.deletionTimestamp !== undefined

function isRunningAndReady(pod: Pod): boolean {
  return pod.status?.phase === 'Running' && isPodReady(pod)
}

function isHealthy({ set, nowMs }: SetView, pod: Pod): boolean {
  return isRunningAndReady(pod) && isPodAvailable(pod, set.spec.minReadySeconds ?? 0, nowMs)
}
