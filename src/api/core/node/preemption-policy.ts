/** Who has asked that no pods be evicted from a node for the growth of others. */
import type { Node } from '#api/core/v1.gen.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import type { FeatureGate, FeatureGates } from '#base/feature-gates.ts'
import { declared, duplicate, type FieldError, forbiddenField, invalidValue, tooMany } from '#machinery/field-error.ts'
import { isQualifiedName } from '#machinery/validation/names.ts'

export const PREEMPTION_GATE: FeatureGate = 'InPlacePodVerticalScalingSchedulerPreemption'
const OWNERS_MAX = 20
const POLICY = 'spec.podPreemptionPolicy'

export function validatePreemptionPolicy({ spec }: Node, old: Node | null, features: FeatureGates): FieldError[] {
  const policy = spec.podPreemptionPolicy
  if (policy === undefined || isSemanticallyEqual(policy, old?.spec.podPreemptionPolicy)) return []
  if (!features.isEnabled(PREEMPTION_GATE)) return [declared(forbiddenField(POLICY, ''))]
  const owners = policy.disableResizePreemption ?? []
  const path = `${POLICY}.disableResizePreemption`
  if (owners.length > OWNERS_MAX) return [declared(tooMany(path, owners.length, OWNERS_MAX))]
  return [
    ...owners.flatMap((owner, i) =>
      isQualifiedName(owner).map((problem) => declared(invalidValue(`${path}[${i}]`, owner, problem))),
    ),
    ...owners.flatMap((owner, i) => (owners.indexOf(owner) < i ? [declared(duplicate(`${path}[${i}]`, owner))] : [])),
  ]
}
