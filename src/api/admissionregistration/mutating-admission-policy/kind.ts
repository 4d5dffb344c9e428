/** Expressions that change a request. */
import type { MutatingAdmissionPolicy, Mutation } from '#api/admissionregistration/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import { checkExpression } from '#api/expressions.ts'
import type { Strategy } from '#api/kind.ts'
import { specStatusStrategy } from '#api/strategies.ts'
import { formatAge } from '#api/table-cells.ts'
import { checkRequiredEnum } from '#api/validation.ts'
import type { CelScope } from '#machinery/cel/references.ts'
import { type FieldError, invalidValue, notSupported, required } from '#machinery/field-error.ts'
import { checkConditionsAndVariables, checkPolicyMatch, paramKindCell } from '../policies.ts'
import { checkMutableOperations, setMatchDefaults } from '../rules.ts'
import { staticNameErrors, staticNameWarnings } from '../static-names.ts'

const strategy: Strategy<MutatingAdmissionPolicy> = {
  ...specStatusStrategy<MutatingAdmissionPolicy>({ generation: true }),
  requireResourceVersion: true,
  setDefaults({ spec }) {
    spec.failurePolicy ??= 'Fail'
    setMatchDefaults(spec.matchConstraints)
  },
  validate: (policy) => [...validatePolicy(policy), ...staticNameErrors(policy)],
  validateUpdate: validatePolicy,
  warnings: (policy, old) => (old === null ? [] : staticNameWarnings(policy)),
}

function validatePolicy({ spec }: MutatingAdmissionPolicy, old?: MutatingAdmissionPolicy): FieldError[] {
  const errors: FieldError[] = []
  checkPolicyMatch(errors, spec)
  checkMutableOperations(errors, 'spec.matchConstraints', spec.matchConstraints)
  const scope = checkConditionsAndVariables(errors, spec, old?.spec)
  const { mutations = [] } = spec
  if (mutations.length === 0) errors.push(required('spec.mutations', 'mutations must contain at least one item'))
  for (const [i, mutation] of mutations.entries()) checkMutation(errors, `spec.mutations[${i}]`, mutation, scope)
  checkRequiredEnum(errors, 'spec.reinvocationPolicy', spec.reinvocationPolicy, ['IfNeeded', 'Never'])
  return errors
}

/** Type of a patch -> the field that holds its expression. */
const PATCH_FIELDS = { ApplyConfiguration: 'applyConfiguration', JSONPatch: 'jsonPatch' } as const

function checkMutation(errors: FieldError[], path: string, mutation: Mutation, scope: CelScope): void {
  const type = mutation.patchType ?? ''
  if (type === '') errors.push(required(`${path}.patchType`))
  else if (type !== 'ApplyConfiguration' && type !== 'JSONPatch')
    errors.push(notSupported(`${path}.patchType`, type, ['ApplyConfiguration', 'JSONPatch']))
  else {
    const wanted = PATCH_FIELDS[type]
    const other = wanted === 'jsonPatch' ? 'applyConfiguration' : 'jsonPatch'
    const patch = mutation[wanted]
    if (patch === undefined) errors.push(required(`${path}.${wanted}`, `must be specified when patchType is ${type}`))
    else if ((patch.expression ?? '').trim() === '') errors.push(required(`${path}.${wanted}.expression`))
    else checkExpression(errors, `${path}.${wanted}.expression`, patch.expression!, scope)
    if (mutation[other] !== undefined)
      errors.push(invalidValue(`${path}.${other}`, `{${other}}`, `must not be specified when patchType is ${type}`))
  }
}

export const mutatingAdmissionPolicyKind = defineKind<MutatingAdmissionPolicy>(
  'admissionregistration.k8s.io/v1/mutatingadmissionpolicies',
  {
    allowPlainFinalizers: true,
    inert: { warning: () => 'this server stores MutatingAdmissionPolicies and does not apply them yet' },
    strategy,
    row: ({ metadata, spec }, nowMs) => [
      metadata.name,
      (spec.mutations ?? []).length,
      paramKindCell(spec.paramKind),
      formatAge(metadata.creationTimestamp, nowMs),
    ],
  },
)
