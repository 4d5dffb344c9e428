/** Puts a MutatingAdmissionPolicy into force, with parameters. */
import type { MutatingAdmissionPolicyBinding } from '#api/admissionregistration/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import type { Strategy } from '#api/kind.ts'
import { specStatusStrategy } from '#api/strategies.ts'
import { formatAge } from '#api/table-cells.ts'
import { type FieldError, required } from '#machinery/field-error.ts'
import { checkParamRef, checkPolicyName, paramRefCell } from '../bindings.ts'
import { checkMatch, checkMutableOperations, setMatchDefaults } from '../rules.ts'
import { staticNameErrors, staticNameWarnings } from '../static-names.ts'

const strategy: Strategy<MutatingAdmissionPolicyBinding> = {
  ...specStatusStrategy<MutatingAdmissionPolicyBinding>({ generation: true }),
  requireResourceVersion: true,
  setDefaults: ({ spec }) => setMatchDefaults(spec.matchResources),
  validate: (binding) => [...validateBinding(binding), ...staticNameErrors(binding)],
  validateUpdate: validateBinding,
  warnings: (binding, old) => (old === null ? [] : staticNameWarnings(binding)),
}

function validateBinding({ spec }: MutatingAdmissionPolicyBinding): FieldError[] {
  const errors: FieldError[] = []
  if (spec.policyName) checkPolicyName(errors, spec.policyName)
  else errors.push(required('spec.policyName'))
  checkParamRef(errors, 'spec.paramRef', spec.paramRef)
  checkMatch(errors, 'spec.matchResources', spec.matchResources)
  checkMutableOperations(errors, 'spec.matchResources', spec.matchResources)
  return errors
}

export const mutatingAdmissionPolicyBindingKind = defineKind<MutatingAdmissionPolicyBinding>(
  'admissionregistration.k8s.io/v1/mutatingadmissionpolicybindings',
  {
    allowPlainFinalizers: true,
    inert: {
      warning: () => 'this server stores MutatingAdmissionPolicyBindings and does not apply the policies they bind yet',
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
