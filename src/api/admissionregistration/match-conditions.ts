/** Conditions by which a webhook or a policy looks at a request. */
import type { MatchCondition } from '#api/admissionregistration/v1.gen.ts'
import { checkExpression } from '#api/expressions.ts'
import { checkQualifiedName } from '#api/validation.ts'
import type { CelScope } from '#machinery/cel/references.ts'
import { duplicate, type FieldError, required, tooMany } from '#machinery/field-error.ts'

const CONDITIONS_MAX = 64

/** What expressions about a request may name; `params` only where a policy has them. */
export function requestScope(hasParams: boolean): CelScope {
  const names = ['object', 'oldObject', 'request', 'namespaceObject', 'authorizer']
  return { variables: new Set(hasParams ? [...names, 'params'] : names) }
}

export function checkMatchConditions(
  errors: FieldError[],
  path: string,
  conditions: readonly MatchCondition[],
  scope = requestScope(false),
): void {
  if (conditions.length > CONDITIONS_MAX) errors.push(tooMany(path, conditions.length, CONDITIONS_MAX))
  for (const [i, { expression = '', name = '' }] of conditions.entries()) {
    if (expression.trim() === '') errors.push(required(`${path}[${i}].expression`))
    else checkExpression(errors, `${path}[${i}].expression`, expression, scope)
    if (name === '') errors.push(required(`${path}[${i}].name`))
    else {
      checkQualifiedName(errors, `${path}[${i}].name`, name)
      if (conditions.findIndex((other) => other.name === name) < i) errors.push(duplicate(`${path}[${i}].name`, name))
    }
  }
}
