/** Checks of single values that answer with field errors: domain names, prefixed keys, conditions, request options. */
import {
  child,
  index,
  duplicate,
  invalidValue,
  notSupported,
  required,
  tooLong,
  type FieldError,
} from '../field-error.ts'
import type { Condition } from '../meta/v1.gen.ts'
import { validateLabelName } from './labels.ts'
import { isDns1123Label, isDns1123Subdomain, isQualifiedName, isValidConditionReason } from './names.ts'
import { byteLength, patternText } from './texts.ts'

const HTTP_PATH = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+"
const CONDITION_REASON_BYTES_MAX = 1024
const CONDITION_MESSAGE_BYTES_MAX = 32 * 1024
const CONDITION_STATUSES = ['False', 'True', 'Unknown']

/** A domain of at least three segments, as finalizers and driver names want. */
export function validateFullyQualifiedName(field: string, name: string): FieldError[] {
  if (name === '') return [required(field)]
  const problems = isDns1123Subdomain(name)
  if (problems.length > 0) return [invalidValue(field, name, problems.join(','))]
  if (name.split('.').length < 3)
    return [invalidValue(field, name, 'should be a domain with at least three segments separated by dots')]
  return []
}

export function validateFullyQualifiedDomainName(field: string, value: string): FieldError[] {
  if (value === '') return [required(field)]
  const name = value.endsWith('.') ? value.slice(0, -1) : value
  const problems = isDns1123Subdomain(name)
  if (problems.length > 0) return [invalidValue(field, name, problems.join(','))]
  const labels = name.split('.')
  if (labels.length < 2)
    return [invalidValue(field, name, 'should be a domain with at least two segments separated by dots')]
  for (const label of labels) {
    const labelProblems = isDns1123Label(label)
    if (labelProblems.length > 0) return [invalidValue(field, label, labelProblems.join(','))]
  }
  return []
}

/** `acme.io/foo/bar`: signer names and controller names of ingress classes. */
export function validateDomainPrefixedPath(field: string, value: string): FieldError[] {
  if (value === '') return [required(field)]
  const slash = value.indexOf('/')
  if (slash <= 0 || slash === value.length - 1)
    return [invalidValue(field, value, 'must be a domain-prefixed path (such as "acme.io/foo")')]
  const [host, path] = [value.slice(0, slash), value.slice(slash + 1)]
  const errors = isDns1123Subdomain(host).map((problem) => invalidValue(field, host, problem))
  if (!new RegExp(`^${HTTP_PATH}$`).test(path))
    errors.push(invalidValue(field, path, patternText('Invalid path', HTTP_PATH)))
  return errors
}

export function validateDomainPrefixedKey(field: string, key: string): FieldError[] {
  if (key === '') return [required(field)]
  const problems = isQualifiedName(key)
  if (problems.length > 0) return problems.map((problem) => invalidValue(field, key, problem))
  if (!key.includes('/')) return [invalidValue(field, key, 'must be a domain-prefixed key (such as "acme.io/foo")')]
  return []
}

/** Conditions of the shared type metav1.Condition. */
export function validateConditions(conditions: readonly Condition[], field: string): FieldError[] {
  const seen = new Set<string>()
  return conditions.flatMap((condition, position) => {
    const path = index(field, position)
    const errors = seen.has(condition.type) ? [duplicate(path, condition.type)] : []
    seen.add(condition.type)
    return [...errors, ...validateCondition(condition, path)]
  })
}

function validateCondition(condition: Condition, field: string): FieldError[] {
  const errors: FieldError[] = []
  if (!condition.type) errors.push(required(child(field, 'type'), 'is required'))
  else errors.push(...validateLabelName(condition.type, child(field, 'type')))
  if (!condition.status) errors.push(required(child(field, 'status')))
  else if (!CONDITION_STATUSES.includes(condition.status))
    errors.push(notSupported(child(field, 'status'), condition.status, CONDITION_STATUSES))
  if ((condition.observedGeneration ?? 0) < 0)
    errors.push(
      invalidValue(
        child(field, 'observedGeneration'),
        condition.observedGeneration,
        'must be greater than or equal to zero',
      ),
    )
  if (!condition.lastTransitionTime) errors.push(required(child(field, 'lastTransitionTime')))
  errors.push(...validateReason(condition.reason ?? '', child(field, 'reason')))
  if (byteLength(condition.message ?? '') > CONDITION_MESSAGE_BYTES_MAX)
    errors.push(tooLong(child(field, 'message'), CONDITION_MESSAGE_BYTES_MAX))
  return errors
}

function validateReason(reason: string, field: string): FieldError[] {
  if (reason === '') return [required(field)]
  const errors = isValidConditionReason(reason).map((problem) => invalidValue(field, reason, problem))
  if (byteLength(reason) > CONDITION_REASON_BYTES_MAX) errors.push(tooLong(field, CONDITION_REASON_BYTES_MAX))
  return errors
}
