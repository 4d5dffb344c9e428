/** Checks what a controller reports of a Job: an end is final, and numbers fit together. */
import type { Job, JobStatus } from '#api/batch/v1.gen.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import { checkNonNegative } from '#api/validation.ts'
import { duplicate, type FieldError, invalidValue, required } from '#machinery/field-error.ts'
import { findOverlap, IndexesError, type IndexRange, parseIndexes } from './indexes.ts'

const CONDITIONS_PATH = 'status.conditions'

/** Both states of a Job around a status write. */
type Change = { readonly job: Job; readonly now: JobStatus; readonly old: JobStatus }

export function validateJobStatus(errors: FieldError[], job: Job, oldJob: Job): void {
  const change: Change = { job, now: job.status ?? {}, old: oldJob.status ?? {} }
  for (const field of ['active', 'succeeded', 'failed', 'ready', 'terminating'] as const)
    checkNonNegative(errors, `status.${field}`, change.now[field])
  validateUncounted(errors, change.now)
  validateConditions(errors, change)
  validateTimes(errors, change)
  validateFinished(errors, change)
  validateIndexes(errors, change)
  validateCounters(errors, change)
}

function hasCondition({ conditions = [] }: JobStatus, type: string, status = 'True'): boolean {
  return conditions.some((condition) => condition.type === type && condition.status === status)
}

function isFinished(status: JobStatus): boolean {
  return hasCondition(status, 'Complete') || hasCondition(status, 'Failed')
}

function hasChanged({ now, old }: Change, types: readonly string[]): boolean {
  return types.some((type) => hasCondition(now, type) !== hasCondition(old, type))
}

function refuseConditions(errors: FieldError[], text: string): void {
  errors.push({ type: 'FieldValueInvalid', field: CONDITIONS_PATH, message: `Invalid value: ${text}` })
}

function validateUncounted(errors: FieldError[], { uncountedTerminatedPods }: JobStatus): void {
  const seen = new Set<string>()
  for (const list of ['succeeded', 'failed'] as const)
    for (const [i, uid] of (uncountedTerminatedPods?.[list] ?? []).entries()) {
      const path = `status.uncountedTerminatedPods.${list}[${i}]`
      if (uid === '') errors.push(invalidValue(path, uid, 'must not be empty'))
      else if (seen.has(uid)) errors.push(duplicate(path, uid))
      seen.add(uid)
    }
}

function validateConditions(errors: FieldError[], change: Change): void {
  const { job, now, old } = change
  const has = (type: string): boolean => hasCondition(now, type)
  const both = (left: string, right: string, changed: readonly string[]): void => {
    if (has(left) && has(right) && hasChanged(change, changed))
      refuseConditions(errors, `cannot set ${left}=True and ${right}=true conditions`)
  }
  both('Complete', 'Failed', ['Complete', 'Failed'])
  both('Complete', 'FailureTarget', ['Complete', 'FailureTarget'])
  const failedIndexesChanged = now.failedIndexes !== old.failedIndexes
  if (has('Failed') && !has('FailureTarget') && (hasChanged(change, ['Failed']) || failedIndexesChanged))
    refuseConditions(errors, 'cannot set Failed=True condition without the FailureTarget=true condition')
  if (has('Complete') && !has('SuccessCriteriaMet') && hasChanged(change, ['Complete', 'SuccessCriteriaMet']))
    refuseConditions(errors, 'cannot set Complete=True condition without the SuccessCriteriaMet=true condition')
  for (const type of ['Failed', 'FailureTarget'])
    if (has('SuccessCriteriaMet') && has(type))
      refuseConditions(errors, `cannot set SuccessCriteriaMet=True and ${type}=true conditions`)
  if (job.spec.successPolicy && !has('SuccessCriteriaMet') && has('Complete')) {
    const text = 'cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True'
    refuseConditions(errors, text)
  }
  for (const type of ['Failed', 'Complete', 'FailureTarget'])
    if (hasCondition(old, type) && !has(type))
      refuseConditions(errors, `cannot disable the terminal ${type}=True condition`)
  const wasMet = hasCondition(old, 'SuccessCriteriaMet')
  if (wasMet && !has('SuccessCriteriaMet'))
    refuseConditions(errors, 'cannot disable the SuccessCriteriaMet=True condition')
  if (hasCondition(old, 'Complete') && !wasMet && has('SuccessCriteriaMet'))
    refuseConditions(errors, 'cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions')
}

function validateTimes(errors: FieldError[], change: Change): void {
  const { job, now, old } = change
  const { startTime, completionTime } = now
  const path = 'status.completionTime'
  const isComplete = hasCondition(now, 'Complete')
  const hasCompletionChanged = completionTime !== old.completionTime
  if (hasChanged(change, ['Complete']) || hasCompletionChanged) {
    if (completionTime !== undefined && !isComplete) {
      const text = 'cannot set completionTime when there is no Complete=True condition'
      errors.push(invalidValue(path, completionTime, text))
    }
    if (completionTime === undefined && isComplete)
      errors.push(required(path, 'completionTime is required for Complete jobs'))
  }
  const hasStartChanged = startTime !== old.startTime
  const isBackwards = startTime !== undefined && completionTime !== undefined && completionTime < startTime
  if (isBackwards && (hasStartChanged || hasCompletionChanged))
    errors.push(invalidValue(path, completionTime, 'must be equal to or after `startTime`'))
  if (completionTime !== undefined && old.completionTime !== undefined && hasCompletionChanged)
    errors.push(invalidValue(path, completionTime, 'field is immutable'))
  const isResuming = hasCondition(old, 'Suspended') && hasCondition(now, 'Suspended', 'False')
  const isRunning = job.spec.suspend !== true
  if (old.startTime !== undefined && hasStartChanged && isRunning && !isResuming)
    errors.push(invalidValue('status.startTime', startTime, 'field is immutable for unsuspended job once set'))
}

function validateFinished(errors: FieldError[], change: Change): void {
  const { job, now, old } = change
  const { active = 0, terminating = 0, ready, uncountedTerminatedPods: uncounted } = now
  const finished = isFinished(now)
  const hasEnded = finished !== isFinished(old)
  if (finished && active > 0 && (hasEnded || active !== (old.active ?? 0)))
    errors.push(invalidValue('status.active', active, 'active>0 is invalid for finished job'))
  const isEmptyWhileSuspended = job.spec.suspend === true && job.spec.completions === 0
  const hasStartChanged = now.startTime !== old.startTime
  if (finished && now.startTime === undefined && (hasEnded || hasStartChanged) && !isEmptyWhileSuspended)
    errors.push(required('status.startTime', 'startTime is required for finished job'))
  const uncountedCount = (uncounted?.failed?.length ?? 0) + (uncounted?.succeeded?.length ?? 0)
  const hasUncountedChanged = !isSemanticallyEqual(uncounted, old.uncountedTerminatedPods)
  if (finished && uncountedCount > 0 && (hasEnded || hasUncountedChanged))
    errors.push(invalidValue('status.uncountedTerminatedPods', uncounted, 'must be empty for finished job'))
  if (finished && terminating > 0 && (hasEnded || now.terminating !== old.terminating))
    errors.push(invalidValue('status.terminating', terminating, 'terminating>0 is invalid for finished job'))
  const hasReadyChanged = ready !== old.ready || active !== (old.active ?? 0)
  if (ready !== undefined && ready > active && hasReadyChanged)
    errors.push(invalidValue('status.ready', ready, 'cannot set more ready pods than active'))
}

function validateIndexes(errors: FieldError[], { job, now, old }: Change): void {
  const { completions, backoffLimitPerIndex, completionMode } = job.spec
  const { completedIndexes = '', failedIndexes } = now
  const completedChanged = completedIndexes !== (old.completedIndexes ?? '')
  const failedChanged = failedIndexes !== old.failedIndexes
  const read = (
    text: string | undefined,
    field: 'completedIndexes' | 'failedIndexes',
    reports: boolean,
  ): IndexRange[] => {
    if (text === undefined || completions === undefined) return []
    try {
      return parseIndexes(text, completions)
    } catch (error) {
      if (!(error instanceof IndexesError)) throw error
      if (reports) errors.push(invalidValue(`status.${field}`, text, `error parsing ${field}: ${error.message}`))
      return []
    }
  }
  const completed = read(completedIndexes, 'completedIndexes', completedChanged)
  const failed = read(failedIndexes, 'failedIndexes', failedChanged && backoffLimitPerIndex !== undefined)
  if (completedChanged && completedIndexes !== '' && completionMode !== 'Indexed') {
    const text = 'cannot set non-empty completedIndexes when non-indexed completion mode'
    errors.push(invalidValue('status.completedIndexes', completedIndexes, text))
  }
  if (failedChanged && failedIndexes !== undefined && backoffLimitPerIndex === undefined) {
    const text = 'cannot set non-null failedIndexes when backoffLimitPerIndex is null'
    errors.push(invalidValue('status.failedIndexes', failedIndexes, text))
  }
  const overlap = completedChanged || failedChanged ? findOverlap(completed, failed) : null
  if (overlap !== null) {
    const text = `failedIndexes and completedIndexes overlap at index: ${overlap}`
    errors.push(invalidValue('status.failedIndexes', failedIndexes, text))
  }
}

function validateCounters(errors: FieldError[], { job, now, old }: Change): void {
  if ((now.failed ?? 0) < (old.failed ?? 0))
    errors.push(invalidValue('status.failed', now.failed ?? 0, 'cannot decrease the failed counter'))
  // An elastic indexed Job forgets the indexes above its new size.
  const isElastic = job.spec.completionMode === 'Indexed' && job.spec.completions === job.spec.parallelism
  if (!isElastic && (now.succeeded ?? 0) < (old.succeeded ?? 0))
    errors.push(invalidValue('status.succeeded', now.succeeded ?? 0, 'cannot decrease the succeeded counter'))
}
