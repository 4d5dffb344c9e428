/** Whether one RBAC rule covers one question; the heart of every authorization decision. */
import type { Attributes, PolicyRule } from './authorizer.ts'

export function ruleAllows(rule: PolicyRule, attributes: Attributes): boolean {
  if (!matches(rule.verbs, attributes.verb)) return false
  return attributes.isResourceRequest
    ? matches(rule.apiGroups, attributes.group) &&
        matchesResource(rule, attributes.resource, attributes.subresource) &&
        matchesName(rule, attributes.name)
    : matchesPath(rule, attributes.path)
}

function matches(allowed: readonly string[] | undefined, wanted: string): boolean {
  return allowed !== undefined && (allowed.includes('*') || allowed.includes(wanted))
}

function matchesResource(rule: PolicyRule, resource: string, subresource: string): boolean {
  const resources = rule.resources ?? []
  if (subresource === '') return resources.includes('*') || resources.includes(resource)
  return (
    resources.includes('*') ||
    resources.includes(`${resource}/${subresource}`) ||
    resources.includes(`*/${subresource}`)
  )
}

function matchesName(rule: PolicyRule, name: string): boolean {
  const names = rule.resourceNames ?? []
  return names.length === 0 || names.includes(name)
}

/** A path matches itself, `*`, or a prefix that ends in `*`. */
function matchesPath(rule: PolicyRule, path: string): boolean {
  return (rule.nonResourceURLs ?? []).some(
    (allowed) =>
      allowed === '*' || allowed === path || (allowed.endsWith('*') && path.startsWith(allowed.slice(0, -1))),
  )
}
