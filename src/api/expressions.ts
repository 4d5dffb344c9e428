/** Expressions inside objects: refused when they do not parse, or name what is not there. */
import { expressionProblem } from '#machinery/cel/check-expression.ts'
import type { CelScope } from '#machinery/cel/references.ts'
import { type FieldError, invalidValue } from '#machinery/field-error.ts'

export function checkExpression(errors: FieldError[], path: string, expression: string, scope: CelScope): void {
  const problem = expressionProblem(expression, scope)
  if (problem !== null) errors.push(invalidValue(path, expression, problem))
}
