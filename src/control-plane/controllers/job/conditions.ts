/** The conditions of a Job: how they are made, found and changed. */
import type { Job, JobCondition } from '#api/batch/v1.gen.ts'
import { formatTime } from '../object-key.ts'

/** Why a Job is about to end. */
export type Outcome = {
  readonly type: 'FailureTarget' | 'SuccessCriteriaMet'
  readonly reason: string
  readonly message: string
}

export function trueCondition({ status }: Job, type: string): JobCondition | undefined {
  return status?.conditions?.find((condition) => condition.type === type && condition.status === 'True')
}

export const isJobFinished = (job: Job): boolean =>
  trueCondition(job, 'Complete') !== undefined || trueCondition(job, 'Failed') !== undefined

export type ConditionValue = {
  readonly type: string
  readonly status: 'True' | 'False'
  readonly reason: string
  readonly message: string
}

/** The same list when nothing changes; a condition that was never there does not become false. */
export function withCondition(
  conditions: readonly JobCondition[],
  { type, status, reason, message }: ConditionValue,
  nowMs: number,
): readonly JobCondition[] {
  const old = conditions.find((condition) => condition.type === type)
  if (old === undefined && status === 'False') return conditions
  if (old?.status === status && old.reason === reason && old.message === message) return conditions
  const time = formatTime(nowMs)
  const changed = { type, status, lastProbeTime: time, lastTransitionTime: time, reason, message }
  return old === undefined
    ? [...conditions, changed]
    : conditions.map((condition) => (condition === old ? changed : condition))
}
