/** Puts a ValidatingAdmissionPolicy into force, with parameters and an action. */
import type { ValidatingAdmissionPolicyBinding } from '#api/admissionregistration/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import type { Strategy } from '#api/kind.ts'
import { specStatusStrategy } from '#api/strategies.ts'
import { formatAge } from '#api/table-cells.ts'
import { duplicate, type FieldError, invalidValue, notSupported, required } from '#machinery/field-error.ts'
import { checkParamRef, checkPolicyName, paramRefCell } from '../bindings.ts'
import { checkMatch, setMatchDefaults } from '../rules.ts'
import { staticNameErrors, staticNameWarnings } from '../static-names.ts'

const ACTIONS = ['Audit', 'Deny', 'Warn']

const strategy: Strategy<ValidatingAdmissionPolicyBinding> = {
  ...specStatusStrategy<ValidatingAdmissionPolicyBinding>({ generation: true }),
  requireResourceVersion: true,
  setDefaults: ({ spec }) => setMatchDefaults(spec.matchResources),
  validate: (binding) => [...validateBinding(binding), ...staticNameErrors(binding)],
  validateUpdate: validateBinding,
  warnings: (binding, old) => (old === null ? [] : staticNameWarnings(binding)),
}

function validateBinding({ spec }: ValidatingAdmissionPolicyBinding): FieldError[] {
  const errors: FieldError[] = []
  checkPolicyName(errors, spec.policyName ?? '')
  checkParamRef(errors, 'spec.paramRef', spec.paramRef)
  checkMatch(errors, 'spec.matchResources', spec.matchResources)
  checkActions(errors, 'spec.validationActions', spec.validationActions ?? [])
  // Upstream's declarative rules, which follow the others.
  if (!spec.policyName) errors.push(required('spec.policyName'))
  if ((spec.validationActions ?? []).length === 0) errors.push(required('spec.validationActions'))
  return errors
}

function checkActions(errors: FieldError[], path: string, actions: readonly string[]): void {
  for (const [i, action] of actions.entries()) {
    if (!ACTIONS.includes(action)) errors.push(notSupported(`${path}[${i}]`, action, ACTIONS))
    if (actions.indexOf(action) < i) errors.push(duplicate(`${path}[${i}]`, action))
  }
  if (actions.includes('Deny') && actions.includes('Warn')) {
    const text =
      'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)'
    errors.push(invalidValue(path, actions, text))
  }
}

export const validatingAdmissionPolicyBindingKind = defineKind<ValidatingAdmissionPolicyBinding>(
  'admissionregistration.k8s.io/v1/validatingadmissionpolicybindings',
  {
    allowPlainFinalizers: true,
    inert: {
      warning: () =>
        'this server stores ValidatingAdmissionPolicyBindings and does not enforce the policies they bind yet',
    },
    strategy,
    row: ({ metadata, spec }, nowMs) => [
      metadata.name,
      spec.policyName ?? '',
      paramRefCell(spec.paramRef),
      formatAge(metadata.creationTimestamp, nowMs),
    ],
  },
)
