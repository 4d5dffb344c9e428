/** Conditions by which a webhook or a policy looks at a request; expressions themselves are not compiled. */
import type { MatchCondition } from '#api/admissionregistration/v1.gen.ts'
import { checkQualifiedName } from '#api/validation.ts'
import { duplicate, type FieldError, required, tooMany } from '#machinery/field-error.ts'

const CONDITIONS_MAX = 64

export function checkMatchConditions(errors: FieldError[], path: string, conditions: readonly MatchCondition[]): void {
  if (conditions.length > CONDITIONS_MAX) errors.push(tooMany(path, conditions.length, CONDITIONS_MAX))
  for (const [i, { expression = '', name = '' }] of conditions.entries()) {
    if (expression.trim() === '') errors.push(required(`${path}[${i}].expression`))
    if (name === '') errors.push(required(`${path}[${i}].name`))
    else {
      checkQualifiedName(errors, `${path}[${i}].name`, name)
      if (conditions.findIndex((other) => other.name === name) < i) errors.push(duplicate(`${path}[${i}].name`, name))
    }
  }
}
