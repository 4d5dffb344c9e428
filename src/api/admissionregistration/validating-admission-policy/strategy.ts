/** How ValidatingAdmissionPolicies are completed and checked. */
import type { AuditAnnotation, ValidatingAdmissionPolicy, Validation } from '#api/admissionregistration/v1.gen.ts'
import { checkExpression } from '#api/expressions.ts'
import type { Strategy } from '#api/kind.ts'
import { specStatusStrategy } from '#api/strategies.ts'
import { checkEnum, checkQualifiedName } from '#api/validation.ts'
import type { CelScope } from '#machinery/cel/references.ts'
import { duplicate, type FieldError, invalidValue, required } from '#machinery/field-error.ts'
import { validateConditions } from '#machinery/validation/fields.ts'
import { checkConditionsAndVariables, checkPolicyMatch } from '../policies.ts'
import { setMatchDefaults } from '../rules.ts'
import { staticNameErrors, staticNameWarnings } from '../static-names.ts'

const AUDIT_ANNOTATIONS_MAX = 20
const VALUE_EXPRESSION_BYTES_MAX = 5120
const REASONS = ['Forbidden', 'Invalid', 'RequestEntityTooLarge']

export const validatingAdmissionPolicyStrategy: Strategy<ValidatingAdmissionPolicy> = {
  ...specStatusStrategy<ValidatingAdmissionPolicy>({ generation: true, resetsMetaForStatus: true }),
  requireResourceVersion: true,
  setDefaults({ spec }) {
    spec.failurePolicy ??= 'Fail'
    setMatchDefaults(spec.matchConstraints)
  },
  validate: (policy) => [...validatePolicy(policy), ...staticNameErrors(policy)],
  validateUpdate: (policy, old, { subresource }) =>
    subresource === 'status' ? validateStatus(policy) : validatePolicy(policy, old),
  warnings: (policy, old) => (old === null ? [] : staticNameWarnings(policy)),
}

function validatePolicy(policy: ValidatingAdmissionPolicy, old?: ValidatingAdmissionPolicy): FieldError[] {
  const errors: FieldError[] = []
  const { metadata, spec } = policy
  const { validations = [], auditAnnotations: annotations = [] } = spec
  checkPolicyMatch(errors, spec)
  const scope = checkConditionsAndVariables(errors, spec, old?.spec)
  if (validations.length === 0 && annotations.length === 0) {
    const text = 'validations or auditAnnotations must contain at least one item'
    errors.push(required('spec.validations', text), required('spec.auditAnnotations', text))
  }
  for (const [i, validation] of validations.entries())
    checkValidation(errors, `spec.validations[${i}]`, validation, scope)
  if (annotations.length > AUDIT_ANNOTATIONS_MAX) {
    const text = `must not have more than ${AUDIT_ANNOTATIONS_MAX} auditAnnotations`
    errors.push(invalidValue('spec.auditAnnotations', annotations, text))
  }
  for (const [i, annotation] of annotations.entries()) {
    const path = `spec.auditAnnotations[${i}]`
    checkAuditAnnotation(errors, path, annotation, { policyName: metadata.name, scope })
    if (annotations.findIndex(({ key }) => key === annotation.key) < i)
      errors.push(duplicate(`${path}.key`, annotation.key))
  }
  return errors
}

function checkValidation(errors: FieldError[], path: string, validation: Validation, scope: CelScope): void {
  const { expression = '', message = '', messageExpression = '', reason } = validation
  const mustNotBeEmpty = 'must be non-empty if specified'
  if (expression.trim() === '') errors.push(required(`${path}.expression`, 'expression is not specified'))
  else checkExpression(errors, `${path}.expression`, expression, scope)
  if (messageExpression !== '' && messageExpression.trim() === '')
    errors.push(invalidValue(`${path}.messageExpression`, messageExpression, mustNotBeEmpty))
  else if (messageExpression !== '') {
    // A message is no decision: it cannot ask what the user may do.
    const variables = new Set([...scope.variables].filter((name) => name !== 'authorizer'))
    checkExpression(errors, `${path}.messageExpression`, messageExpression, { ...scope, variables })
  }
  if (message !== '' && message.trim() === '') errors.push(invalidValue(`${path}.message`, message, mustNotBeEmpty))
  else if (/[\n\r]/.test(message.trim()))
    errors.push(invalidValue(`${path}.message`, message, 'must not contain line breaks'))
  checkEnum(errors, `${path}.reason`, reason, REASONS)
}

function checkAuditAnnotation(
  errors: FieldError[],
  path: string,
  { key = '', valueExpression = '' }: AuditAnnotation,
  { policyName, scope }: { readonly policyName: string; readonly scope: CelScope },
): void {
  if (policyName) checkQualifiedName(errors, `${path}.key`, `${policyName}/${key}`)
  else errors.push(invalidValue(`${path}.key`, key, 'requires metadata.name be non-empty'))
  const expression = valueExpression.trim()
  if (expression === '') errors.push(required(`${path}.valueExpression`, 'valueExpression is not specified'))
  else if (Buffer.byteLength(expression) > VALUE_EXPRESSION_BYTES_MAX) {
    const text = `must not exceed ${VALUE_EXPRESSION_BYTES_MAX} bytes in length`
    errors.push(required(`${path}.valueExpression`, text))
  } else checkExpression(errors, `${path}.valueExpression`, valueExpression, scope)
}

function validateStatus({ status }: ValidatingAdmissionPolicy): FieldError[] {
  const errors: FieldError[] = []
  for (const [i, { warning, fieldRef = '' }] of (status?.typeChecking?.expressionWarnings ?? []).entries()) {
    const path = `status.typeChecking.expressionWarnings[${i}]`
    if (!warning) errors.push(required(`${path}.warning`))
    if (fieldRef.trim() === '') errors.push(required(`${path}.fieldRef`))
  }
  errors.push(...validateConditions(status?.conditions ?? [], 'status.conditions'))
  return errors
}
