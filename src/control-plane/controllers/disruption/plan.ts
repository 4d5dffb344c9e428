/** Decides, without any I/O, how many pods of a PodDisruptionBudget may be evicted now. */
import type { Pod } from '#api/core/v1.gen.ts'
import type { PodDisruptionBudget, PodDisruptionBudgetStatus } from '#api/policy/v1.gen.ts'
import { formatTime } from '../object-key.ts'
import { isPodReady, isPodTerminal } from '../pods/pod-state.ts'

/** A pod whose eviction was granted is expected to be deleted within this time. */
export const DELETION_TIMEOUT_MS = 120_000
/** A pod that was told to go, and stays, is forgiven after this time. */
export const STALE_DISRUPTION_MS = 120_000

export type BudgetPlan = {
  readonly status: PodDisruptionBudgetStatus
  /** When the next granted eviction runs out. */
  readonly recheckMs: number | null
  /** Pods whose granted eviction ran out. */
  readonly notDeleted: readonly Pod[]
}

/** Whether the number of pods has to come from the pods' controllers: shares of what they want. */
export function needsScale({ spec }: PodDisruptionBudget): boolean {
  return spec.maxUnavailable !== undefined || typeof spec.minAvailable === 'string'
}

/** `scale` is what the pods' controllers want altogether. */
export function planBudget(
  budget: PodDisruptionBudget,
  pods: readonly Pod[],
  scale: number,
  nowMs: number,
): BudgetPlan {
  const { expectedPods, desiredHealthy } = desired(budget, pods.length, scale)
  const { disruptedPods, recheckMs, notDeleted } = disruptions(budget, pods, nowMs)
  const currentHealthy = pods.filter(
    (pod) =>
      pod.metadata.deletionTimestamp === undefined && disruptedPods[pod.metadata.name] === undefined && isPodReady(pod),
  ).length
  const disruptionsAllowed = expectedPods <= 0 ? 0 : Math.max(0, currentHealthy - desiredHealthy)
  const observedGeneration = budget.metadata.generation ?? 0
  const counts = { currentHealthy, desiredHealthy, expectedPods, disruptionsAllowed, observedGeneration }
  const status = {
    ...counts,
    ...(Object.keys(disruptedPods).length === 0 ? {} : { disruptedPods }),
    conditions: withDisruptionAllowed(budget, {
      isAllowed: disruptionsAllowed > 0,
      reason: disruptionsAllowed > 0 ? 'SufficientPods' : 'InsufficientPods',
      message: '',
      nowMs,
    }),
  }
  return { status, recheckMs, notDeleted }
}

function desired(
  { spec }: PodDisruptionBudget,
  pods: number,
  scale: number,
): { expectedPods: number; desiredHealthy: number } {
  if (spec.maxUnavailable !== undefined)
    return { expectedPods: scale, desiredHealthy: Math.max(0, scale - share(spec.maxUnavailable, scale)) }
  if (typeof spec.minAvailable === 'string')
    return { expectedPods: scale, desiredHealthy: share(spec.minAvailable, scale) }
  return spec.minAvailable === undefined
    ? { expectedPods: 0, desiredHealthy: 0 }
    : { expectedPods: pods, desiredHealthy: spec.minAvailable }
}

/** Shares are rounded up. */
function share(value: number | string, total: number): number {
  return typeof value === 'number' ? value : Math.ceil((Number.parseInt(value, 10) * total) / 100)
}

function disruptions(
  { status }: PodDisruptionBudget,
  pods: readonly Pod[],
  nowMs: number,
): {
  disruptedPods: Record<string, string>
  recheckMs: number | null
  notDeleted: Pod[]
} {
  const disruptedPods: Record<string, string> = {}
  const notDeleted: Pod[] = []
  let recheckMs: number | null = null
  for (const pod of pods) {
    const time = status?.disruptedPods?.[pod.metadata.name]
    if (time === undefined || pod.metadata.deletionTimestamp !== undefined) continue
    const left = Date.parse(time) + DELETION_TIMEOUT_MS - nowMs
    if (left <= 0) notDeleted.push(pod)
    else {
      disruptedPods[pod.metadata.name] = time
      recheckMs = Math.min(left, recheckMs ?? left)
    }
  }
  return { disruptedPods, recheckMs, notDeleted }
}

type Allowed = {
  readonly isAllowed: boolean
  readonly reason: string
  readonly message: string
  readonly nowMs: number
}
type Conditions = NonNullable<PodDisruptionBudgetStatus['conditions']>

export function withDisruptionAllowed(
  { metadata, status }: PodDisruptionBudget,
  { isAllowed, reason, message, nowMs }: Allowed,
): Conditions {
  const type = 'DisruptionAllowed'
  const conditions = status?.conditions ?? []
  const value = isAllowed ? 'True' : 'False'
  const old = conditions.find((condition) => condition.type === type)
  const lastTransitionTime = old?.status === value ? old.lastTransitionTime : formatTime(nowMs)
  const changed = {
    type,
    status: value,
    observedGeneration: metadata.generation ?? 0,
    lastTransitionTime,
    reason,
    message,
  }
  return old === undefined
    ? [...conditions, changed]
    : conditions.map((condition) => (condition === old ? changed : condition))
}

/** How long until the pod's mark as a target of disruption is stale; null when it has none that can be. */
export function staleDisruptionMs({ metadata, status }: Pod, nowMs: number): number | null {
  const mark = status?.conditions?.find(({ type }) => type === 'DisruptionTarget')
  if (metadata.deletionTimestamp !== undefined || mark?.status !== 'True' || isPodTerminal({ status })) return null
  // The kubelet may take any time between its mark and the end of the pod.
  if (mark.reason === 'TerminationByKubelet') return null
  return Math.max(0, Date.parse(mark.lastTransitionTime ?? '') + STALE_DISRUPTION_MS - nowMs)
}
