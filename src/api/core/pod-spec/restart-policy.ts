/** Checks when containers are restarted: the policy of a container of its own, and rules by exit code. */
import type { ContainerRestartRule } from '#api/core/v1.gen.ts'
import { checkEnum } from '#api/validation.ts'
import { type FieldError, notSupported, required, tooMany } from '#machinery/field-error.ts'
import type { AnyContainer } from './containers-of.ts'
import type { PodValidationOptions } from './options.ts'

const POLICIES = ['Always', 'Never', 'OnFailure']
const RESTART_ALL = 'RestartAllContainers'
const OPERATORS = ['In', 'NotIn']
const RULES_MAX = 20
const EXIT_CODES_MAX = 255

type RestartPlace = { readonly path: string } & Pick<PodValidationOptions, 'allowRestartAllContainers'>

export function validateContainerRestartPolicy(
  errors: FieldError[],
  { restartPolicy, restartPolicyRules = [] }: AnyContainer,
  { path, allowRestartAllContainers: allowsAll }: RestartPlace,
): void {
  if (restartPolicy === undefined) {
    if (restartPolicyRules.length === 0) return
    errors.push(required(`${path}.restartPolicy`, 'must specify restartPolicy when restart rules are used'))
  } else checkEnum(errors, `${path}.restartPolicy`, restartPolicy, POLICIES)
  const place = `${path}.restartPolicyRules`
  if (restartPolicyRules.length > RULES_MAX) errors.push(tooMany(place, restartPolicyRules.length, RULES_MAX))
  for (const [i, rule] of restartPolicyRules.entries())
    validateRule(errors, rule, { path: `${place}[${i}]`, allowsAll })
}

type RulePlace = { readonly path: string; readonly allowsAll: boolean }

function validateRule(
  errors: FieldError[],
  { action = '', exitCodes }: ContainerRestartRule,
  { path, allowsAll }: RulePlace,
): void {
  const actions = ['Restart', ...(allowsAll ? [RESTART_ALL] : [])]
  if (!actions.includes(action)) errors.push(notSupported(`${path}.action`, action, actions))
  const place = `${path}.exitCodes`
  if (exitCodes === undefined) {
    errors.push(required(place, 'must be specified'))
    return
  }
  const { operator = '', values = [] } = exitCodes
  if (!OPERATORS.includes(operator)) errors.push(notSupported(`${place}.operator`, operator, OPERATORS))
  if (values.length > EXIT_CODES_MAX) errors.push(tooMany(`${place}.values`, values.length, EXIT_CODES_MAX))
}
