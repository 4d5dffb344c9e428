/** What both kinds of policy bindings share: which policy, with which parameters. */
import type { ParamRef } from '#api/admissionregistration/v1.gen.ts'
import { checkDnsSubdomain, checkLabelSelector, checkText } from '#api/validation.ts'
import { type FieldError, forbiddenField, notSupportedInOrder, required } from '#machinery/field-error.ts'
import type { LabelSelector } from '#machinery/meta/v1.gen.ts'
import { isPathSegmentName } from '#machinery/validation/names.ts'

const EXCLUSIVE = 'name and selector are mutually exclusive'

export function checkPolicyName(errors: FieldError[], name: string): void {
  if (name !== '') checkDnsSubdomain(errors, 'spec.policyName', name)
}

export function checkParamRef(errors: FieldError[], path: string, reference: ParamRef | undefined): void {
  if (reference === undefined) return
  const { name = '', selector, parameterNotFoundAction: action = '' } = reference
  if (name !== '') {
    checkText(errors, `${path}.name`, name, isPathSegmentName)
    if (selector !== undefined) errors.push(forbiddenField(`${path}.name`, EXCLUSIVE))
  }
  if (selector !== undefined) {
    checkLabelSelector(errors, `${path}.selector`, selector, {})
    if (name !== '') errors.push(forbiddenField(`${path}.selector`, EXCLUSIVE))
  }
  if (name === '' && selector === undefined) errors.push(required(path, 'one of name or selector must be specified'))
  if (action === '') errors.push(required(`${path}.parameterNotFoundAction`))
  else if (action !== 'Deny' && action !== 'Allow')
    errors.push(notSupportedInOrder(`${path}.parameterNotFoundAction`, action, ['Deny', 'Allow']))
}

export function paramRefCell(reference: ParamRef | undefined): string {
  if (reference?.name) return `${reference.namespace || '*'}/${reference.name}`
  return reference?.selector === undefined ? '<unset>' : goText(reference.selector)
}

/** Upstream prints the selector as Go does. */
function goText({ matchLabels = {}, matchExpressions = [] }: LabelSelector): string {
  const labels = Object.entries(matchLabels)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}: ${value},`)
  const requirements = matchExpressions.map(
    ({ key, operator, values = [] }) =>
      `LabelSelectorRequirement{Key:${key},Operator:${operator},Values:[${values.join(' ')}],},`,
  )
  return `&LabelSelector{MatchLabels:map[string]string{${labels.join('')}},MatchExpressions:[]LabelSelectorRequirement{${requirements.join('')}},}`
}
