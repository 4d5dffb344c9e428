/** What both kinds of admission policies share. */
import type { MatchCondition, MatchResources, ParamKind, Variable } from '#api/admissionregistration/v1.gen.ts'
import { checkExpression } from '#api/expressions.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import { checkEnum } from '#api/validation.ts'
import type { CelScope } from '#machinery/cel/references.ts'
import { type FieldError, invalidValue, required } from '#machinery/field-error.ts'
import { isDns1035Label, isDns1123Subdomain } from '#machinery/validation/names.ts'
import { checkMatchConditions, requestScope } from './match-conditions.ts'
import { checkMatch } from './rules.ts'

export type PolicySpec = {
  failurePolicy?: string
  matchConditions?: MatchCondition[]
  matchConstraints?: MatchResources
  paramKind?: ParamKind
  variables?: Variable[]
}

/** The part before validations and mutations. */
export function checkPolicyMatch(errors: FieldError[], spec: PolicySpec): void {
  checkEnum(errors, 'spec.failurePolicy', spec.failurePolicy, ['Fail', 'Ignore'])
  if (spec.paramKind !== undefined) checkParamKind(errors, 'spec.paramKind', spec.paramKind)
  if (spec.matchConstraints === undefined) errors.push(required('spec.matchConstraints'))
  else {
    checkMatch(errors, 'spec.matchConstraints', spec.matchConstraints)
    if ((spec.matchConstraints.resourceRules ?? []).length === 0)
      errors.push(required('spec.matchConstraints.resourceRules'))
  }
}

/** The scope of the expressions that follow is the answer: with the variables that they may name. */
export function checkConditionsAndVariables(
  errors: FieldError[],
  spec: PolicySpec,
  old: PolicySpec | undefined,
): CelScope {
  const scope = requestScope(spec.paramKind !== undefined)
  const isUnchanged =
    old !== undefined &&
    isSemanticallyEqual(spec.paramKind, old.paramKind) &&
    isSemanticallyEqual(spec.matchConditions ?? [], old.matchConditions ?? [])
  if (!isUnchanged) checkMatchConditions(errors, 'spec.matchConditions', spec.matchConditions ?? [], scope)
  const composed = new Set<string>()
  for (const [i, { name = '', expression = '' }] of (spec.variables ?? []).entries()) {
    const path = `spec.variables[${i}]`
    if (name.trim() === '') errors.push(required(`${path}.name`, 'name is not specified'))
    else if (!isIdentifier(name)) errors.push(invalidValue(`${path}.name`, name, 'must be a valid CEL identifier'))
    if (expression.trim() === '') errors.push(required(`${path}.expression`, 'expression is not specified'))
    else {
      // A variable sees those before it.
      checkExpression(errors, `${path}.expression`, expression, { ...scope, composed })
      composed.add(name)
    }
  }
  return (spec.variables ?? []).length === 0 ? scope : { ...scope, composed }
}

const RESERVED = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
)

const isIdentifier = (name: string): boolean => /^[_a-zA-Z][_a-zA-Z0-9]*$/.test(name) && !RESERVED.has(name)

function checkParamKind(errors: FieldError[], path: string, { apiVersion = '', kind = '' }: ParamKind): void {
  if (apiVersion === '') errors.push(required(`${path}.apiVersion`))
  else checkVersion(errors, `${path}.apiVersion`, apiVersion)
  const problems = isDns1035Label(kind.toLowerCase())
  if (kind === '') errors.push(required(`${path}.kind`))
  else if (problems.length > 0) {
    const text = `may have mixed case, but should otherwise match: ${problems.join(',')}`
    errors.push(invalidValue(`${path}.kind`, kind, text))
  }
}

function checkVersion(errors: FieldError[], path: string, apiVersion: string): void {
  const parts = apiVersion.split('/')
  if (parts.length > 2) {
    errors.push(invalidValue(path, apiVersion, `unexpected GroupVersion string: ${apiVersion}`))
    return
  }
  const [version = '', group = ''] = parts.toReversed()
  const groupProblems = group === '' ? [] : isDns1123Subdomain(group)
  if (groupProblems.length > 0) errors.push(invalidValue(path, group, groupProblems.join(',')))
  const versionProblems = isDns1035Label(version)
  if (version === '') errors.push(invalidValue(path, apiVersion, 'version must be specified'))
  else if (versionProblems.length > 0) errors.push(invalidValue(path, version, versionProblems.join(',')))
}

export function paramKindCell(paramKind: ParamKind | undefined): string {
  return paramKind === undefined ? '<unset>' : `${paramKind.apiVersion ?? ''}/${paramKind.kind ?? ''}`
}
