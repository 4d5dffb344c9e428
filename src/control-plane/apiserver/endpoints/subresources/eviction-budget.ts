/** What a PodDisruptionBudget says to the eviction of one pod, in upstream's words. Pure. */
import type { Pod } from '#api/core/v1.gen.ts'
import type { PodDisruptionBudget, PodDisruptionBudgetStatus } from '#api/policy/v1.gen.ts'
import { forbidden, StatusError } from '#machinery/status-error.ts'
import { formatSeconds } from '../../registry/object-writer.ts'

/** Pods that were evicted but are still there; beyond it the controller is too far behind to trust. */
const DISRUPTED_PODS_MAX = 2000
const RETRY_SECONDS = 10
const CONDITION = 'DisruptionAllowed'

/** Pods that do not serve anybody: finished ones, pending ones, those that are going already. */
export function mayIgnoreBudgets({ metadata, status }: Pod): boolean {
  return metadata.deletionTimestamp !== undefined || ['Succeeded', 'Failed', 'Pending'].includes(status?.phase ?? '')
}

/** A pending pod may become one that serves meanwhile; the others cannot. */
export function mayStillServe({ metadata, status }: Pod): boolean {
  return metadata.deletionTimestamp === undefined && !['Succeeded', 'Failed'].includes(status?.phase ?? '')
}

/** A pod that is not ready counts for nothing: it may go without taking from the budget, unless the budget needs it to recover. */
export function mayEvictUnready({ spec, status }: PodDisruptionBudget): boolean {
  if (spec.unhealthyPodEvictionPolicy === 'AlwaysAllow') return true
  const { currentHealthy = 0, desiredHealthy = 0 } = status ?? {}
  return currentHealthy >= desiredHealthy && desiredHealthy > 0
}

/** The budget with one disruption less; throws when there is none left. */
export function decrementBudget(budget: PodDisruptionBudget, podName: string, nowMs: number): PodDisruptionBudget {
  const { metadata, status } = budget
  if ((status?.observedGeneration ?? 0) < (metadata.generation ?? 0)) throw stillProcessed(metadata.name)
  checkHealth(budget)
  const allowed = status?.disruptionsAllowed ?? 0
  if (status === undefined || allowed === 0) throw exhausted(budget)
  const next: PodDisruptionBudgetStatus = {
    ...status,
    disruptionsAllowed: allowed - 1,
    disruptedPods: { ...status.disruptedPods, [podName]: formatSeconds(nowMs) },
  }
  return { ...budget, status: allowed === 1 ? withNothingAllowed(next, nowMs) : next }
}

function checkHealth({ metadata: { name }, status }: PodDisruptionBudget): void {
  const refuse = (why: string, cause: string): StatusError => {
    const refusal = forbidden({ group: 'policy', resource: 'poddisruptionbudget' }, name, why)
    const { code, reason, message, details } = refusal
    return new StatusError({
      code,
      reason,
      message,
      details: {
        ...details,
        causes: [budgetCause(`The disruption budget ${name} does not allow evicting pods currently: ${cause}`)],
      },
    })
  }
  const negative = 'pdb disruptions allowed is negative'
  if ((status?.disruptionsAllowed ?? 0) < 0) throw refuse(negative, negative)
  if (Object.keys(status?.disruptedPods ?? {}).length > DISRUPTED_PODS_MAX)
    throw refuse(
      'DisruptedPods map too big - too many evictions not confirmed by PDB controller',
      'too many pending evictions not confirmed by PDB controller',
    )
}

const budgetCause = (message: string) => ({ reason: 'DisruptionBudget', message })

function tooManyRequests(cause: string, retrySeconds: number): StatusError {
  return new StatusError({
    code: 429,
    reason: 'TooManyRequests',
    message: "Cannot evict pod as it would violate the pod's disruption budget.",
    details: {
      causes: [budgetCause(cause)],
      ...(retrySeconds === 0 ? {} : { retryAfterSeconds: retrySeconds }),
    },
    ...(retrySeconds === 0 ? {} : { headers: { 'Retry-After': String(retrySeconds) } }),
  })
}

/** What the budget says is not of now: in a moment it may be. */
export function stillProcessed(name: string): StatusError {
  return tooManyRequests(`The disruption budget ${name} is still being processed by the server.`, RETRY_SECONDS)
}

function exhausted({ metadata: { name }, status }: PodDisruptionBudget): StatusError {
  const { desiredHealthy = 0, currentHealthy = 0, conditions = [] } = status ?? {}
  const { status: state, reason, message } = conditions.find(({ type }) => type === CONDITION) ?? {}
  const isExplained = state === 'False' && Boolean(message)
  const head = `The disruption budget ${name} does not allow evicting pods currently`
  // A budget whose counting failed has no numbers to speak of.
  if (isExplained && reason === 'SyncFailed') return tooManyRequests(`${head} because it failed sync: ${message}`, 0)
  if (currentHealthy <= desiredHealthy)
    return tooManyRequests(
      `The disruption budget ${name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`,
      0,
    )
  return tooManyRequests(isExplained ? `${head} (${reason}): ${message}` : head, 0)
}

function withNothingAllowed(status: PodDisruptionBudgetStatus, nowMs: number): PodDisruptionBudgetStatus {
  const conditions = status.conditions ?? []
  const index = conditions.findIndex(({ type }) => type === CONDITION)
  const known = conditions[index]
  const condition = {
    type: CONDITION,
    status: 'False',
    observedGeneration: status.observedGeneration ?? 0,
    lastTransitionTime: known?.status === 'False' ? known.lastTransitionTime : formatSeconds(nowMs),
    reason: 'InsufficientPods',
    message: '',
  }
  return { ...status, conditions: index < 0 ? [...conditions, condition] : conditions.with(index, condition) }
}
