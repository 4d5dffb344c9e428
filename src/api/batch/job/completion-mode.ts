/** Checks what the completion mode of a Job allows: pods by index, or any pods. */
import type { JobSpec } from '#api/batch/v1.gen.ts'
import { type FieldError, invalidValue, notSupportedInOrder, required } from '#machinery/field-error.ts'

const PARALLELISM_MAX = 100_000
const FAILED_INDEXES_MAX = 100_000
/** Above this many completions the lists of indexes in the status could grow too long. */
const COMPLETIONS_HIGH = 100_000
const PARALLELISM_HIGH_MAX = 10_000
const FAILED_INDEXES_HIGH_MAX = 10_000

export function validateCompletionMode(errors: FieldError[], spec: JobSpec, path: string): void {
  const { completionMode } = spec
  if (completionMode === 'Indexed') validateIndexed(errors, spec, path)
  else if (completionMode !== undefined && completionMode !== 'NonIndexed')
    errors.push(notSupportedInOrder(`${path}.completionMode`, completionMode, ['NonIndexed', 'Indexed']))
  if (completionMode !== undefined && completionMode !== 'NonIndexed') return
  for (const field of ['backoffLimitPerIndex', 'maxFailedIndexes'] as const)
    if (spec[field] !== undefined)
      errors.push(invalidValue(`${path}.${field}`, spec[field], 'requires indexed completion mode'))
}

function validateIndexed(errors: FieldError[], spec: JobSpec, path: string): void {
  const { completions, parallelism = 0, maxFailedIndexes } = spec
  if (completions === undefined) errors.push(required(`${path}.completions`, 'when completion mode is Indexed'))
  if (parallelism > PARALLELISM_MAX) {
    const text = `must be less than or equal to ${PARALLELISM_MAX} when completion mode is Indexed`
    errors.push(invalidValue(`${path}.parallelism`, parallelism, text))
  }
  const tooManyFailed = (text: string): void =>
    void errors.push(
      invalidValue(`${path}.maxFailedIndexes`, maxFailedIndexes, `must be less than or equal to ${text}`),
    )
  if (completions !== undefined && (maxFailedIndexes ?? 0) > completions) tooManyFailed('completions')
  if ((maxFailedIndexes ?? 0) > FAILED_INDEXES_MAX) tooManyFailed(String(FAILED_INDEXES_MAX))
  if ((completions ?? 0) <= COMPLETIONS_HIGH || spec.backoffLimitPerIndex === undefined) return
  const high = `when completions are above ${COMPLETIONS_HIGH} and used with backoff limit per index`
  if (maxFailedIndexes === undefined) {
    const text = `must be specified when completions is above ${COMPLETIONS_HIGH}`
    errors.push(required(`${path}.maxFailedIndexes`, text))
  }
  if (parallelism > PARALLELISM_HIGH_MAX) {
    const text = `must be less than or equal to ${PARALLELISM_HIGH_MAX} ${high}`
    errors.push(invalidValue(`${path}.parallelism`, parallelism, text))
  }
  if ((maxFailedIndexes ?? 0) > FAILED_INDEXES_HIGH_MAX) tooManyFailed(`${FAILED_INDEXES_HIGH_MAX} ${high}`)
}
