/** What a HorizontalPodAutoscaler must look like, but for its metrics. */

import type { HorizontalPodAutoscaler, HPAScalingPolicy, HPAScalingRules } from '#api/autoscaling/v2.gen.ts'
import type { FeatureGates } from '#base/feature-gates.ts'
import { checkEnum, checkNonNegative, NOT_NEGATIVE, NOT_POSITIVE } from '#api/validation.ts'
import { type FieldError, forbiddenField, invalidValue, required } from '#machinery/field-error.ts'
import { compareQuantities } from '#machinery/quantity.ts'
import { validateDescribedObject, validateMetrics } from './metrics-validation.ts'

const NOT_POSITIVE_YET = 'must be greater than or equal to 1'
const PERIOD_SECONDS_MAX = 1800
const STABILIZATION_SECONDS_MAX = 3600

/** `old` of an update: an apiVersion that was wrong before may stay wrong. */
export function validateAutoscaler(
  autoscaler: HorizontalPodAutoscaler,
  old: HorizontalPodAutoscaler | undefined,
  features: FeatureGates,
): FieldError[] {
  const errors: FieldError[] = []
  const { minReplicas, maxReplicas = 0, scaleTargetRef: target, metrics = [], behavior } = autoscaler.spec
  if (minReplicas !== undefined && maxReplicas < minReplicas) {
    const text = 'must be greater than or equal to `minReplicas`'
    errors.push(invalidValue('spec.maxReplicas', maxReplicas, text))
  }
  const before = old?.spec.scaleTargetRef
  const isOldTarget = before?.apiVersion === target.apiVersion && before?.kind === target.kind
  validateDescribedObject(errors, 'spec.scaleTargetRef', target, {
    mayBeInvalid: old !== undefined && isOldTarget,
    mayLackGroup: target.kind === 'ReplicationController',
  })
  validateMetrics(errors, metrics, old?.spec.metrics ?? [])
  if (minReplicas === 0) checkScaleToZero(errors, autoscaler)
  if (behavior?.scaleUp !== undefined) checkRules(errors, 'spec.behavior.scaleUp', behavior.scaleUp)
  if (behavior?.scaleDown !== undefined) checkRules(errors, 'spec.behavior.scaleDown', behavior.scaleDown)
  const mayBeZero = features.isEnabled('HPAScaleToZero') || old?.spec.minReplicas === 0
  checkBounds(errors, autoscaler, mayBeZero)
  return errors
}

/** Upstream's declarative rules, which follow the others. */
function checkBounds(errors: FieldError[], { spec }: HorizontalPodAutoscaler, mayBeZero: boolean): void {
  if (mayBeZero) checkNonNegative(errors, 'spec.minReplicas', spec.minReplicas)
  else if (spec.minReplicas !== undefined && spec.minReplicas < 1)
    errors.push(invalidValue('spec.minReplicas', spec.minReplicas, NOT_POSITIVE_YET))
  const max = spec.maxReplicas ?? 0
  if (max === 0) errors.push(required('spec.maxReplicas'))
  else if (max < 0) errors.push(invalidValue('spec.maxReplicas', max, 'must be greater than or equal to 1'))
}

function checkScaleToZero(errors: FieldError[], { spec }: HorizontalPodAutoscaler): void {
  if (spec.metrics?.some(({ type }) => type === 'Object' || type === 'External') === true) return
  const text = 'must specify at least one Object or External metric to support scaling to zero replicas'
  errors.push(forbiddenField('spec.metrics', text))
}

function checkRules(errors: FieldError[], path: string, rules: HPAScalingRules): void {
  const { stabilizationWindowSeconds: seconds, policies = [], selectPolicy, tolerance } = rules
  if (seconds !== undefined && seconds < 0)
    errors.push(invalidValue(`${path}.stabilizationWindowSeconds`, seconds, 'must be greater than or equal to zero'))
  if (seconds !== undefined && seconds > STABILIZATION_SECONDS_MAX) {
    const text = `must be less than or equal to ${STABILIZATION_SECONDS_MAX}`
    errors.push(invalidValue(`${path}.stabilizationWindowSeconds`, seconds, text))
  }
  checkEnum(errors, `${path}.selectPolicy`, selectPolicy, ['Disabled', 'Max', 'Min'])
  if (policies.length === 0) errors.push(required(`${path}.policies`, 'must specify at least one Policy'))
  for (const [i, policy] of policies.entries()) checkPolicy(errors, `${path}.policies[${i}]`, policy)
  if (tolerance !== undefined && compareQuantities(tolerance, 0) < 0)
    errors.push(invalidValue(`${path}.tolerance`, tolerance, NOT_NEGATIVE))
}

function checkPolicy(
  errors: FieldError[],
  path: string,
  { type, value = 0, periodSeconds = 0 }: HPAScalingPolicy,
): void {
  checkEnum(errors, `${path}.type`, type ?? '', ['Percent', 'Pods'])
  if (value <= 0) errors.push(invalidValue(`${path}.value`, value, NOT_POSITIVE))
  if (periodSeconds <= 0) errors.push(invalidValue(`${path}.periodSeconds`, periodSeconds, NOT_POSITIVE))
  if (periodSeconds > PERIOD_SECONDS_MAX) {
    const text = `must be less than or equal to ${PERIOD_SECONDS_MAX}`
    errors.push(invalidValue(`${path}.periodSeconds`, periodSeconds, text))
  }
}

export function validateAutoscalerStatus({ status }: HorizontalPodAutoscaler): FieldError[] {
  const errors: FieldError[] = []
  for (const [i, { observedGeneration }] of (status?.conditions ?? []).entries())
    checkNonNegative(errors, `status.conditions[${i}].observedGeneration`, observedGeneration)
  checkNonNegative(errors, 'status.currentReplicas', status?.currentReplicas)
  checkNonNegative(errors, 'status.desiredReplicas', status?.desiredReplicas)
  return errors
}
