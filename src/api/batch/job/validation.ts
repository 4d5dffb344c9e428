/** Checks Jobs and the specs of Job templates. */
import type { Job, JobSpec } from '#api/batch/v1.gen.ts'
import type { PodValidationOptions } from '#api/core/pod-spec/options.ts'
import { validatePodTemplateSpec } from '#api/core/pod-spec/validation.ts'
import { checkLabelSelector, checkNonNegative } from '#api/validation.ts'
import { tryMatcherOf } from '#api/workload/validation.ts'
import {
  type FieldError,
  invalidValue,
  notSupported,
  notSupportedInOrder,
  required,
  tooLong,
} from '#machinery/field-error.ts'
import { validateDomainPrefixedPath } from '#machinery/validation/fields.ts'
import { hasInvalidLabelValue } from '#machinery/validation/label-selector.ts'
import { isDns1123Label } from '#machinery/validation/names.ts'
import { validateCompletionMode } from './completion-mode.ts'
import { validatePodFailurePolicy, validateSuccessPolicy } from './failure-policy.ts'
import { validateGeneratedSelector } from './selector.ts'
import { validateJobUpdate } from './update-validation.ts'

const MANAGED_BY_BYTES_MAX = 63
const COUNTS = [
  'parallelism',
  'completions',
  'activeDeadlineSeconds',
  'backoffLimit',
  'ttlSecondsAfterFinished',
  'backoffLimitPerIndex',
  'maxFailedIndexes',
] as const

type Context = { readonly old: Job | null; readonly options: PodValidationOptions }

export function validateJob(errors: FieldError[], job: Job, { old, options }: Context): void {
  const { spec } = job
  if (old === null) validateGeneratedSelector(errors, job)
  validateJobSpec(errors, spec, { path: 'spec', options })
  const allowInvalidLabelValue = options.allowInvalidSelectorValues || hasInvalidLabelValue(old?.spec.selector)
  if (spec.selector === undefined) errors.push(required('spec.selector'))
  else checkLabelSelector(errors, 'spec.selector', spec.selector, { allowInvalidLabelValue })
  const labels = spec.template.metadata?.labels
  if (tryMatcherOf(spec.selector)?.matches(labels ?? {}) === false) {
    const text = '`selector` does not match template `labels`'
    errors.push(invalidValue('spec.template.metadata.labels', labels, text))
  }
  if (old !== null) validateJobUpdate(errors, job, old)
  validateNameOfPods(errors, job)
}

/** The last pod of an indexed Job has the longest name: it has to be a host name. */
function validateNameOfPods(errors: FieldError[], { metadata, spec }: Job): void {
  if (spec.completionMode !== 'Indexed' || (spec.completions ?? 0) <= 0) return
  const hostname = `${metadata.name}-${spec.completions! - 1}`
  if (isDns1123Label(hostname).length === 0) return
  const text = `will not able to create pod with invalid DNS label: ${hostname}`
  errors.push(invalidValue('metadata.name', metadata.name, text))
}

export type JobSpecPlace = { readonly path: string; readonly options: PodValidationOptions }

export function validateJobSpec(errors: FieldError[], spec: JobSpec, { path, options }: JobSpecPlace): void {
  for (const field of COUNTS) checkNonNegative(errors, `${path}.${field}`, spec[field])
  if (spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined)
    errors.push(required(`${path}.backoffLimitPerIndex`, 'when maxFailedIndexes is specified'))
  if (spec.managedBy !== undefined) {
    errors.push(...validateDomainPrefixedPath(`${path}.managedBy`, spec.managedBy))
    if (Buffer.byteLength(spec.managedBy) > MANAGED_BY_BYTES_MAX)
      errors.push(tooLong(`${path}.managedBy`, MANAGED_BY_BYTES_MAX))
  }
  validateCompletionMode(errors, spec, path)
  if (spec.podFailurePolicy) validatePodFailurePolicy(errors, spec, `${path}.podFailurePolicy`)
  if (spec.successPolicy) {
    const place = `${path}.successPolicy`
    if (spec.completionMode === 'Indexed') validateSuccessPolicy(errors, spec, place)
    else errors.push(invalidValue(place, spec.successPolicy, 'requires indexed completion mode'))
  }
  validateReplacementPolicy(errors, spec, `${path}.podReplacementPolicy`)
  validatePodTemplateSpec(errors, spec.template, { path: `${path}.template`, options })
  validateRestartPolicy(errors, spec, `${path}.template.spec.restartPolicy`)
}

function validateReplacementPolicy(errors: FieldError[], spec: JobSpec, path: string): void {
  const policy = spec.podReplacementPolicy
  if (policy === undefined) return
  const supported = spec.podFailurePolicy ? ['Failed'] : ['Failed', 'TerminatingOrFailed']
  if (!supported.includes(policy)) errors.push(notSupported(path, policy, supported))
}

function validateRestartPolicy(errors: FieldError[], spec: JobSpec, path: string): void {
  const policy = spec.template.spec?.restartPolicy ?? ''
  if (policy === 'Always' || policy === '') errors.push(required(path, 'valid values: "OnFailure", "Never"'))
  else if (policy !== 'OnFailure' && policy !== 'Never')
    errors.push(notSupportedInOrder(path, policy, ['OnFailure', 'Never']))
  else if (spec.podFailurePolicy && policy !== 'Never')
    errors.push(invalidValue(path, policy, 'only "Never" is supported when podFailurePolicy is specified'))
}
