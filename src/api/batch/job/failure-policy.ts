/** Checks what a Job does when pods fail, and when it counts as successful. */
import type {
  JobSpec,
  PodFailurePolicyOnExitCodesRequirement,
  PodFailurePolicyOnPodConditionsPattern,
  PodFailurePolicyRule,
  SuccessPolicyRule,
} from '#api/batch/v1.gen.ts'
import { checkNonNegative, checkQualifiedName } from '#api/validation.ts'
import {
  duplicate,
  type FieldError,
  invalidValue,
  notSupported,
  required,
  tooLong,
  tooMany,
} from '#machinery/field-error.ts'
import { countIndexes, IndexesError, parseIndexes } from './indexes.ts'

const RULES_MAX = 20
const EXIT_CODES_MAX = 255
const PATTERNS_MAX = 20
const INDEXES_BYTES_MAX = 64 * 1024
const ACTIONS = ['Count', 'FailIndex', 'FailJob', 'Ignore']
const OPERATORS = ['In', 'NotIn']
const STATUSES = ['False', 'True', 'Unknown']

/** As Go prints a list of strings. */
const quoted = (words: readonly string[]): string => `[${words.map((word) => JSON.stringify(word)).join(' ')}]`

export function validatePodFailurePolicy(errors: FieldError[], spec: JobSpec, path: string): void {
  const rules = spec.podFailurePolicy?.rules ?? []
  if (rules.length > RULES_MAX) errors.push(tooMany(`${path}.rules`, rules.length, RULES_MAX))
  for (const [i, rule] of rules.entries()) validateFailureRule(errors, rule, { spec, path: `${path}.rules[${i}]` })
}

type RulePlace = { readonly spec: JobSpec; readonly path: string }

function validateFailureRule(errors: FieldError[], rule: PodFailurePolicyRule, { spec, path }: RulePlace): void {
  const { action = '', onExitCodes, onPodConditions = [] } = rule
  if (action === '') errors.push(required(`${path}.action`, `valid values: ${quoted(ACTIONS)}`))
  else if (!ACTIONS.includes(action)) errors.push(notSupported(`${path}.action`, action, ACTIONS))
  else if (action === 'FailIndex' && spec.backoffLimitPerIndex === undefined)
    errors.push(invalidValue(`${path}.action`, action, 'requires the backoffLimitPerIndex to be set'))
  if (onExitCodes) validateExitCodes(errors, onExitCodes, { spec, path: `${path}.onExitCodes` })
  if (onPodConditions.length > 0) validatePatterns(errors, onPodConditions, `${path}.onPodConditions`)
  const bad = (text: string): void =>
    void errors.push({ type: 'FieldValueInvalid', field: path, message: `Invalid value: ${text}` })
  if (onExitCodes && onPodConditions.length > 0) bad('specifying both OnExitCodes and OnPodConditions is not supported')
  if (!onExitCodes && onPodConditions.length === 0) bad('specifying one of OnExitCodes and OnPodConditions is required')
}

function validatePatterns(
  errors: FieldError[],
  patterns: readonly PodFailurePolicyOnPodConditionsPattern[],
  path: string,
): void {
  if (patterns.length > PATTERNS_MAX) errors.push(tooMany(path, patterns.length, PATTERNS_MAX))
  for (const [i, { type = '', status = '' }] of patterns.entries()) {
    checkQualifiedName(errors, `${path}[${i}].type`, type)
    if (status === '') errors.push(required(`${path}[${i}].status`, `valid values: ${quoted(STATUSES)}`))
    else if (!STATUSES.includes(status)) errors.push(notSupported(`${path}[${i}].status`, status, STATUSES))
  }
}

function validateExitCodes(
  errors: FieldError[],
  { operator = '', containerName, values = [] }: PodFailurePolicyOnExitCodesRequirement,
  { spec, path }: RulePlace,
): void {
  if (operator === '') errors.push(required(`${path}.operator`, `valid values: ${quoted(OPERATORS)}`))
  else if (!OPERATORS.includes(operator)) errors.push(notSupported(`${path}.operator`, operator, OPERATORS))
  const pod = spec.template.spec
  const containers = [...(pod?.containers ?? []), ...(pod?.initContainers ?? [])]
  if (containerName !== undefined && !containers.some(({ name }) => name === containerName)) {
    const text = 'must be one of the container or initContainer names in the pod template'
    errors.push(invalidValue(`${path}.containerName`, containerName, text))
  }
  if (values.length === 0) errors.push(invalidValue(`${path}.values`, values, 'at least one value is required'))
  else if (values.length > EXIT_CODES_MAX) errors.push(tooMany(`${path}.values`, values.length, EXIT_CODES_MAX))
  for (const [i, value] of values.entries()) {
    if (operator === 'In' && value === 0)
      errors.push(invalidValue(`${path}.values[${i}]`, value, 'must not be 0 for the In operator'))
    if (values.indexOf(value) !== i) errors.push(duplicate(`${path}.values[${i}]`, value))
  }
  if (values.some((value, i) => i > 0 && values[i - 1]! > value))
    errors.push(invalidValue(`${path}.values`, values, 'must be ordered'))
}

export function validateSuccessPolicy(errors: FieldError[], spec: JobSpec, path: string): void {
  const rules = spec.successPolicy?.rules ?? []
  if (rules.length === 0) {
    const text = 'at least one rules must be specified when the successPolicy is specified'
    errors.push(required(`${path}.rules`, text))
  }
  if (rules.length > RULES_MAX) errors.push(tooMany(`${path}.rules`, rules.length, RULES_MAX))
  const completions = spec.completions ?? 0
  for (const [i, rule] of rules.entries())
    validateSuccessRule(errors, rule, { completions, path: `${path}.rules[${i}]` })
}

type SuccessPlace = { readonly completions: number; readonly path: string }

function validateSuccessRule(errors: FieldError[], rule: SuccessPolicyRule, { completions, path }: SuccessPlace): void {
  const { succeededCount, succeededIndexes } = rule
  if (succeededCount === undefined && succeededIndexes === undefined)
    errors.push(required(path, 'at least one of succeededCount or succeededIndexes must be specified'))
  const total = validateIndexes(errors, succeededIndexes, { completions, path: `${path}.succeededIndexes` })
  if (succeededCount === undefined) return
  const place = `${path}.succeededCount`
  checkNonNegative(errors, place, succeededCount)
  const atMost = (limit: number, what: string): void => {
    if (succeededCount > limit)
      errors.push(invalidValue(place, succeededCount, `must be less than or equal to ${limit} (the number of ${what})`))
  }
  atMost(completions, 'specified completions')
  if (succeededIndexes !== undefined) atMost(total, 'indexes in the specified succeededIndexes field')
}

/** The number of indexes in the text. */
function validateIndexes(errors: FieldError[], text: string | undefined, { completions, path }: SuccessPlace): number {
  if (text === undefined) return 0
  if (Buffer.byteLength(text) > INDEXES_BYTES_MAX) errors.push(tooLong(path, INDEXES_BYTES_MAX))
  try {
    return countIndexes(parseIndexes(text, completions))
  } catch (error) {
    if (!(error instanceof IndexesError)) throw error
    errors.push(invalidValue(path, text, `error parsing succeededIndexes: ${error.message}`))
    return 0
  }
}
