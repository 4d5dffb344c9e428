/** Expressions that a request must satisfy. */
import type { ValidatingAdmissionPolicy } from '#api/admissionregistration/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import { formatAge } from '#api/table-cells.ts'
import { paramKindCell } from '../policies.ts'
import { validatingAdmissionPolicyStrategy } from './strategy.ts'

export const validatingAdmissionPolicyKind = defineKind<ValidatingAdmissionPolicy>(
  'admissionregistration.k8s.io/v1/validatingadmissionpolicies',
  {
    allowPlainFinalizers: true,
    inert: { warning: () => 'this server stores ValidatingAdmissionPolicies and does not enforce them yet' },
    strategy: validatingAdmissionPolicyStrategy,
    row: ({ metadata, spec }, nowMs) => [
      metadata.name,
      (spec.validations ?? []).length,
      paramKindCell(spec.paramKind),
      formatAge(metadata.creationTimestamp, nowMs),
    ],
  },
)
