/** How roles are checked, in a namespace and in the whole cluster. */
import type { ClusterRole, PolicyRule, Role } from '#api/rbac/v1.gen.ts'
import type { Strategy } from '#api/kind.ts'
import { checkLabelSelector } from '#api/validation.ts'
import { type FieldError, invalidValue, required } from '#machinery/field-error.ts'
import { LabelSelectorError, matcherOf } from '#machinery/selectors/label-selector.ts'
import { hasInvalidLabelValue } from '#machinery/validation/label-selector.ts'

export const roleStrategy: Strategy<Role> = {
  allowCreateOnUpdate: true,
  validate: ({ rules }) => validateRules(rules, true),
  validateUpdate: ({ rules }) => validateRules(rules, true),
}

export const clusterRoleStrategy: Strategy<ClusterRole> = {
  allowCreateOnUpdate: true,
  validate: (role) => validateClusterRole(role, null),
  validateUpdate: validateClusterRole,
}

function validateClusterRole(role: ClusterRole, old: ClusterRole | null): FieldError[] {
  const errors = validateRules(role.rules, false)
  const path = 'aggregationRule.clusterRoleSelectors'
  const selectors = role.aggregationRule?.clusterRoleSelectors ?? []
  if (role.aggregationRule !== undefined && selectors.length === 0)
    errors.push(required(path, 'at least one clusterRoleSelector required if aggregationRule is non-nil'))
  const allowInvalidLabelValue = (old?.aggregationRule?.clusterRoleSelectors ?? []).some(hasInvalidLabelValue)
  for (const [i, selector] of selectors.entries()) {
    checkLabelSelector(errors, `${path}[${i}]`, selector, { allowInvalidLabelValue })
    // Upstream prints the selector that it could not make.
    if (!isSelector(selector)) errors.push(invalidValue(`${path}[${i}]`, null, 'invalid label selector.'))
  }
  return errors
}

function isSelector(selector: Parameters<typeof matcherOf>[0]): boolean {
  try {
    matcherOf(selector)
    return true
  } catch (error) {
    if (error instanceof LabelSelectorError) return false
    throw error
  }
}

function validateRules(rules: readonly PolicyRule[] | undefined, isNamespaced: boolean): FieldError[] {
  return (rules ?? []).flatMap((rule, i) => ruleErrors(rule, isNamespaced, `rules[${i}]`))
}

function ruleErrors(rule: PolicyRule, isNamespaced: boolean, path: string): FieldError[] {
  const { verbs = [], nonResourceURLs = [], apiGroups = [], resources = [], resourceNames = [] } = rule
  const errors: FieldError[] = []
  if (verbs.length === 0) errors.push(required(`${path}.verbs`))
  if (nonResourceURLs.length > 0) {
    const refuse = (text: string): void =>
      void errors.push(invalidValue(`${path}.nonResourceURLs`, nonResourceURLs, text))
    if (isNamespaced) refuse('namespaced rules cannot apply to non-resource URLs')
    if (apiGroups.length + resources.length + resourceNames.length > 0)
      refuse('rules cannot apply to both regular resources and non-resource URLs')
    return errors
  }
  if (apiGroups.length === 0)
    errors.push(required(`${path}.apiGroups`, 'resource rules must supply at least one api group'))
  if (resources.length === 0)
    errors.push(required(`${path}.resources`, 'resource rules must supply at least one resource'))
  return errors
}
