/** Whether a set of RBAC rules grants all that another set does. */
import type { PolicyRule } from '../authorization/authorizer.ts'

/** The wanted rules, one verb and one resource each and joined again by verb, that `owned` does not cover. */
export function uncoveredRules(owned: readonly PolicyRule[], wanted: readonly PolicyRule[]): PolicyRule[] {
  const missing = wanted.flatMap(breakDown).filter((rule) => !owned.some((owner) => covers(owner, rule)))
  const joined = new Map<string, PolicyRule>()
  for (const rule of missing) {
    const key = JSON.stringify([rule.apiGroups, rule.resources, rule.resourceNames, rule.nonResourceURLs])
    const known = joined.get(key)
    joined.set(key, known === undefined ? rule : { ...known, verbs: [...new Set([...known.verbs, ...rule.verbs])] })
  }
  return [...joined.values()]
}

/** Rules of one group, one resource, one name, one verb each. */
function breakDown(rule: PolicyRule): PolicyRule[] {
  const simple: PolicyRule[] = []
  for (const verb of rule.verbs) {
    for (const url of rule.nonResourceURLs ?? []) simple.push({ verbs: [verb], nonResourceURLs: [url] })
    for (const group of rule.apiGroups ?? [])
      for (const resource of rule.resources ?? [])
        for (const name of rule.resourceNames?.length ? rule.resourceNames : [undefined])
          simple.push({
            verbs: [verb],
            apiGroups: [group],
            resources: [resource],
            ...(name === undefined ? {} : { resourceNames: [name] }),
          })
  }
  return simple
}

function covers(owner: PolicyRule, rule: PolicyRule): boolean {
  const has = (values: readonly string[] | undefined, wanted: readonly string[]): boolean =>
    values?.includes('*') === true || wanted.every((value) => values?.includes(value) === true)
  if (!has(owner.verbs, rule.verbs)) return false
  if (rule.nonResourceURLs !== undefined)
    return rule.nonResourceURLs.every((url) => (owner.nonResourceURLs ?? []).some((pattern) => coversUrl(pattern, url)))
  return (
    has(owner.apiGroups, rule.apiGroups ?? []) &&
    (rule.resources ?? []).every((resource) => coversResource(owner, resource)) &&
    coversNames(owner, rule)
  )
}

const coversUrl = (pattern: string, url: string): boolean =>
  pattern === '*' || pattern === url || (pattern.endsWith('*') && url.startsWith(pattern.slice(0, -1)))

function coversResource({ resources = [] }: PolicyRule, wanted: string): boolean {
  const subresource = wanted.includes('/') ? wanted.slice(wanted.indexOf('/') + 1) : ''
  return (
    resources.includes('*') ||
    resources.includes(wanted) ||
    (subresource !== '' && resources.includes(`*/${subresource}`))
  )
}

/** No names in the owner's rule means all of them. */
function coversNames({ resourceNames: owned = [] }: PolicyRule, { resourceNames: wanted = [] }: PolicyRule): boolean {
  return owned.length === 0 || (wanted.length > 0 && wanted.every((name) => owned.includes(name)))
}
