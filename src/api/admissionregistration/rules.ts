/** Which requests a webhook or an admission policy looks at: operations, groups, versions, resources. */
import type { MatchResources, NamedRuleWithOperations, RuleWithOperations } from '#api/admissionregistration/v1.gen.ts'
import { checkEnum, checkLabelSelector, checkText } from '#api/validation.ts'
import { duplicate, type FieldError, invalidValue, notSupported, required } from '#machinery/field-error.ts'
import { isPathSegmentName } from '#machinery/validation/names.ts'

const OPERATIONS = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE']
const MUTABLE_OPERATIONS = OPERATIONS.filter((operation) => operation !== 'DELETE')

export function setRuleDefaults(rules: RuleWithOperations[] | undefined): void {
  for (const rule of rules ?? []) rule.scope ??= '*'
}

/** Defaults that webhooks and the match of policies share. */
export function setMatchDefaults(match: MatchResources | undefined): void {
  if (match === undefined) return
  match.matchPolicy ??= 'Equivalent'
  match.namespaceSelector ??= {}
  match.objectSelector ??= {}
  setRuleDefaults(match.resourceRules)
  setRuleDefaults(match.excludeResourceRules)
}

export function checkMatch(errors: FieldError[], path: string, match: MatchResources | undefined): void {
  if (match === undefined) return
  checkEnum(errors, `${path}.matchPolicy`, match.matchPolicy, ['Equivalent', 'Exact'])
  checkLabelSelector(errors, `${path}.namespaceSelector`, match.namespaceSelector, {})
  checkLabelSelector(errors, `${path}.objectSelector`, match.objectSelector, {})
  for (const name of ['resourceRules', 'excludeResourceRules'] as const)
    for (const [i, rule] of (match[name] ?? []).entries()) checkNamedRule(errors, `${path}.${name}[${i}]`, rule)
}

/** Nothing can be changed in an object that is being deleted. */
export function checkMutableOperations(errors: FieldError[], path: string, match: MatchResources | undefined): void {
  for (const { operations = [] } of match?.resourceRules ?? [])
    for (const operation of operations)
      if (!MUTABLE_OPERATIONS.includes(operation))
        errors.push(notSupported(`${path}.resourceRules.operations`, operation, MUTABLE_OPERATIONS))
}

function checkNamedRule(errors: FieldError[], path: string, rule: NamedRuleWithOperations): void {
  const names = rule.resourceNames ?? []
  for (const [i, name] of names.entries()) {
    checkText(errors, `${path}.resourceNames[${i}]`, name, isPathSegmentName)
    if (names.indexOf(name) < i) errors.push(duplicate(`${path}.resourceNames[${i}]`, name))
  }
  checkRule(errors, path, rule)
}

export function checkRule(errors: FieldError[], path: string, rule: RuleWithOperations): void {
  const { operations = [], apiGroups = [], apiVersions = [], resources = [] } = rule
  checkWildcard(errors, `${path}.operations`, operations, 'operations')
  for (const [i, operation] of operations.entries())
    if (!OPERATIONS.includes(operation)) errors.push(notSupported(`${path}.operations[${i}]`, operation, OPERATIONS))
  checkWildcard(errors, `${path}.apiGroups`, apiGroups, 'API groups')
  checkWildcard(errors, `${path}.apiVersions`, apiVersions, 'API versions')
  for (const [i, version] of apiVersions.entries())
    if (version === '') errors.push(required(`${path}.apiVersions[${i}]`))
  checkResources(errors, `${path}.resources`, resources)
  checkEnum(errors, `${path}.scope`, rule.scope, ['*', 'Cluster', 'Namespaced'])
}

function checkWildcard(errors: FieldError[], path: string, values: readonly string[], what: string): void {
  if (values.length === 0) errors.push(required(path))
  if (values.length > 1 && values.includes('*'))
    errors.push(invalidValue(path, values, `if '*' is present, must not specify other ${what}`))
}

function checkResources(errors: FieldError[], path: string, resources: readonly string[]): void {
  if (resources.length === 0) errors.push(required(path))
  const withAnySubresource = new Set<string>()
  const ofAnyResource = new Set<string>()
  for (const [i, text] of resources.entries()) {
    if (text === '') errors.push(required(`${path}[${i}]`))
    if (!text.includes('/')) continue
    const resource = text.slice(0, text.indexOf('/'))
    const subresource = text.slice(text.indexOf('/') + 1)
    if (withAnySubresource.has(resource))
      errors.push(invalidValue(`${path}[${i}]`, text, `if '${resource}/*' is present, must not specify ${text}`))
    if (ofAnyResource.has(subresource))
      errors.push(invalidValue(`${path}[${i}]`, text, `if '*/${subresource}' is present, must not specify ${text}`))
    if (subresource === '*') withAnySubresource.add(resource)
    if (resource === '*') ofAnyResource.add(subresource)
  }
  if (resources.length > 1 && resources.includes('*/*'))
    errors.push(invalidValue(path, resources, "if '*/*' is present, must not specify other resources"))
  // Upstream looks at the last resource without a subresource only.
  const last = resources.findLast((text) => text !== '' && !text.includes('/'))
  if (resources.includes('*') && last !== '*') {
    const text = "if '*' is present, must not specify other resources without subresources"
    errors.push(invalidValue(path, resources, text))
  }
}
