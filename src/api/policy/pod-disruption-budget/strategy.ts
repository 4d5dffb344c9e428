/** How PodDisruptionBudgets are prepared and checked. */
import type { PodDisruptionBudget, PodDisruptionBudgetSpec } from '#api/policy/v1.gen.ts'
import type { Strategy } from '#api/kind.ts'
import { specStatusStrategy } from '#api/strategies.ts'
import { checkEnum, checkLabelSelector, checkNonNegative } from '#api/validation.ts'
import { checkAtMost100Percent, checkIntOrPercent } from '#api/workload/validation.ts'
import { type FieldError, invalidValue } from '#machinery/field-error.ts'
import { validateConditions } from '#machinery/validation/fields.ts'
import { hasInvalidLabelValue } from '#machinery/validation/label-selector.ts'

const EVICTION_POLICIES = ['AlwaysAllow', 'IfHealthyBudget']

export const podDisruptionBudgetStrategy: Strategy<PodDisruptionBudget> = {
  ...specStatusStrategy<PodDisruptionBudget>({ generation: true }),
  requireResourceVersion: true,
  validate: ({ spec }) => validateSpec(spec ?? {}, false),
  validateUpdate: (budget, old, { subresource }) =>
    subresource === 'status'
      ? validateStatus(budget)
      : validateSpec(budget.spec ?? {}, hasInvalidLabelValue(old.spec?.selector)),
}

function validateSpec(spec: PodDisruptionBudgetSpec, allowInvalidLabelValue: boolean): FieldError[] {
  const errors: FieldError[] = []
  const { minAvailable, maxUnavailable } = spec
  if (minAvailable !== undefined && maxUnavailable !== undefined)
    errors.push(invalidValue('spec', spec, 'minAvailable and maxUnavailable cannot be both set'))
  for (const [name, value] of Object.entries({ minAvailable, maxUnavailable })) {
    if (value === undefined) continue
    checkIntOrPercent(errors, `spec.${name}`, value)
    checkAtMost100Percent(errors, `spec.${name}`, value)
  }
  checkLabelSelector(errors, 'spec.selector', spec.selector, { allowInvalidLabelValue })
  checkEnum(errors, 'spec.unhealthyPodEvictionPolicy', spec.unhealthyPodEvictionPolicy, EVICTION_POLICIES)
  return errors
}

function validateStatus({ status }: PodDisruptionBudget): FieldError[] {
  const errors = validateConditions(status?.conditions ?? [], 'status.conditions')
  for (const field of ['disruptionsAllowed', 'currentHealthy', 'desiredHealthy', 'expectedPods'] as const)
    checkNonNegative(errors, `status.${field}`, status?.[field])
  return errors
}
