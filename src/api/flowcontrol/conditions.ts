/** Conditions in the status of both kinds of this group: each type once. */
import { duplicate, type FieldError, required } from '#machinery/field-error.ts'

export function validateStatusConditions(conditions: readonly { readonly type: string }[]): FieldError[] {
  const errors: FieldError[] = []
  for (const [i, { type }] of conditions.entries()) {
    const path = `status.conditions[${i}].type`
    if (conditions.findIndex((other) => other.type === type) < i) errors.push(duplicate(path, type))
    if (!type) errors.push(required(path))
  }
  return errors
}
