/** Checks DaemonSets. */
import type { DaemonSet, DaemonSetUpdateStrategy, RollingUpdateDaemonSet } from '#api/apps/v1.gen.ts'
import type { PodValidationOptions } from '#api/core/pod-spec/options.ts'
import { validatePodTemplateSpec } from '#api/core/pod-spec/validation.ts'
import { checkLabelSelector, checkNonNegative } from '#api/validation.ts'
import {
  checkAtMost100Percent,
  checkIntOrPercent,
  checkNotDecremented,
  checkSelectorImmutable,
  isEmptySelector,
  numberOf,
  tryMatcherOf,
  validateAlwaysRestarts,
} from '#api/workload/validation.ts'
import { type FieldError, invalidValue, notSupportedInOrder, required } from '#machinery/field-error.ts'
import { hasInvalidLabelValue } from '#machinery/validation/label-selector.ts'

type Context = { readonly old: DaemonSet | null; readonly options: PodValidationOptions }

export function validateDaemonSet(errors: FieldError[], { spec }: DaemonSet, { old, options }: Context): void {
  if (old !== null) checkSelectorImmutable(errors, [spec.selector, old.spec.selector])
  const { selector, template } = spec
  const allowInvalidLabelValue = options.allowInvalidSelectorValues || hasInvalidLabelValue(old?.spec.selector)
  checkLabelSelector(errors, 'spec.selector', selector, { allowInvalidLabelValue })
  const labels = template.metadata?.labels
  if (tryMatcherOf(selector)?.matches(labels ?? {}) === false) {
    const text = '`selector` does not match template `labels`'
    errors.push(invalidValue('spec.template.metadata.labels', labels, text))
  }
  if (selector !== undefined && isEmptySelector(selector))
    errors.push(invalidValue('spec.selector', selector, 'empty selector is invalid for daemonset'))
  validatePodTemplateSpec(errors, template, { path: 'spec.template', options })
  validateAlwaysRestarts(errors, template, { path: 'spec.template', kind: 'DaemonSet' })
  checkNonNegative(errors, 'spec.minReadySeconds', spec.minReadySeconds)
  validateUpdateStrategy(errors, spec.updateStrategy ?? {}, 'spec.updateStrategy')
  checkNonNegative(errors, 'spec.revisionHistoryLimit', spec.revisionHistoryLimit)
}

function validateUpdateStrategy(errors: FieldError[], strategy: DaemonSetUpdateStrategy, path: string): void {
  if (strategy.type === 'OnDelete') return
  if (strategy.type === 'RollingUpdate')
    validateRollingUpdate(errors, strategy.rollingUpdate ?? {}, `${path}.rollingUpdate`)
  else errors.push(notSupportedInOrder(path, strategy, ['RollingUpdate', 'OnDelete']))
}

function validateRollingUpdate(errors: FieldError[], rollingUpdate: RollingUpdateDaemonSet, path: string): void {
  const { maxUnavailable, maxSurge } = rollingUpdate
  checkIntOrPercent(errors, `${path}.maxUnavailable`, maxUnavailable)
  checkIntOrPercent(errors, `${path}.maxSurge`, maxSurge)
  checkAtMost100Percent(errors, `${path}.maxUnavailable`, maxUnavailable)
  checkAtMost100Percent(errors, `${path}.maxSurge`, maxSurge)
  const [hasUnavailable, hasSurge] = [numberOf(maxUnavailable) !== 0, numberOf(maxSurge) !== 0]
  if (hasUnavailable && hasSurge)
    errors.push(invalidValue(`${path}.maxSurge`, maxSurge, 'may not be set when maxUnavailable is non-zero'))
  if (!hasUnavailable && !hasSurge) errors.push(required(`${path}.maxUnavailable`, 'cannot be 0 when maxSurge is 0'))
}

const COUNTS = [
  'currentNumberScheduled',
  'numberMisscheduled',
  'desiredNumberScheduled',
  'numberReady',
  'observedGeneration',
  'updatedNumberScheduled',
  'numberAvailable',
  'numberUnavailable',
  'collisionCount',
] as const

export function validateDaemonSetStatus(errors: FieldError[], { status }: DaemonSet, old: DaemonSet): void {
  for (const name of COUNTS) checkNonNegative(errors, `status.${name}`, status?.[name])
  checkNotDecremented(errors, 'status.collisionCount', [status?.collisionCount, old.status?.collisionCount])
}
