/** How CSIStorageCapacities are checked. */
import { oldLabelText } from '#api/core/pod-spec/node-label-warnings.ts'
import type { Strategy } from '#api/kind.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import type { CSIStorageCapacity } from '#api/storage/v1.gen.ts'
import { checkDnsSubdomain, checkLabelSelector, NOT_NEGATIVE } from '#api/validation.ts'
import { type FieldError, invalidValue } from '#machinery/field-error.ts'
import { compareQuantities } from '#machinery/quantity.ts'
import { hasInvalidLabelValue } from '#machinery/validation/label-selector.ts'

export const csiStorageCapacityStrategy: Strategy<CSIStorageCapacity> = {
  requireResourceVersion: true,
  validate: (capacity) => validateCapacity(capacity, false),
  validateUpdate(capacity, old) {
    const errors = validateCapacity(capacity, hasInvalidLabelValue(old.nodeTopology))
    for (const field of ['nodeTopology', 'storageClassName'] as const)
      if (!isSemanticallyEqual(capacity[field], old[field]))
        errors.push(invalidValue(field, capacity[field], 'field is immutable'))
    return errors
  },
  warnings({ nodeTopology = {} }) {
    const found: string[] = []
    for (const [i, { key }] of (nodeTopology.matchExpressions ?? []).entries()) {
      const text = oldLabelText(key)
      if (text !== undefined) found.push(`nodeTopology.matchExpressions[${i}].key: ${key} is ${text}`)
    }
    for (const label of Object.keys(nodeTopology.matchLabels ?? {})) {
      const text = oldLabelText(label)
      if (text !== undefined) found.push(`nodeTopology.matchLabels.${label}: ${text}`)
    }
    return found
  },
}

function validateCapacity(object: CSIStorageCapacity, allowInvalidLabelValue: boolean): FieldError[] {
  const errors: FieldError[] = []
  const { nodeTopology, storageClassName = '', capacity } = object
  checkLabelSelector(errors, 'nodeTopology', nodeTopology, { allowInvalidLabelValue })
  checkDnsSubdomain(errors, 'storageClassName', storageClassName)
  if (capacity !== undefined && compareQuantities(capacity, '0') < 0)
    errors.push(invalidValue('capacity', capacity, NOT_NEGATIVE))
  return errors
}
