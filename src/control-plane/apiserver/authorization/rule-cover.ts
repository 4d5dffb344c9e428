/** Whether some rules allow everything that others do: nobody may grant more than they hold. */
import type { PolicyRule } from './authorizer.ts'

/** The parts of `wanted` that `owned` does not allow, each with one verb, group and resource (or one verb and path). */
export function uncoveredRules(owned: readonly PolicyRule[], wanted: readonly PolicyRule[]): PolicyRule[] {
  return wanted.flatMap(breakDown).filter((part) => !owned.some((rule) => covers(rule, part)))
}

function breakDown(rule: PolicyRule): PolicyRule[] {
  const parts: PolicyRule[] = []
  for (const verb of rule.verbs) {
    for (const path of rule.nonResourceURLs ?? []) parts.push({ verbs: [verb], nonResourceURLs: [path] })
    for (const group of rule.apiGroups ?? [])
      for (const resource of rule.resources ?? [])
        parts.push(...namedParts(verb, group, resource, rule.resourceNames ?? []))
  }
  return parts
}

function namedParts(verb: string, group: string, resource: string, names: readonly string[]): PolicyRule[] {
  const part = { verbs: [verb], apiGroups: [group], resources: [resource] }
  return names.length === 0 ? [part] : names.map((name) => ({ ...part, resourceNames: [name] }))
}

function covers(owner: PolicyRule, part: PolicyRule): boolean {
  if (!includesAll(owner.verbs, part.verbs)) return false
  if (part.nonResourceURLs !== undefined)
    return part.nonResourceURLs.every((path) => (owner.nonResourceURLs ?? []).some((own) => pathCovers(own, path)))
  const names = owner.resourceNames ?? []
  const nameCovered =
    names.length === 0 || ((part.resourceNames ?? []).length > 0 && includesAll(names, part.resourceNames!))
  return (
    nameCovered &&
    includesAll(owner.apiGroups ?? [], part.apiGroups!) &&
    resourceCovers(owner.resources ?? [], part.resources![0]!)
  )
}

const includesAll = (owned: readonly string[], wanted: readonly string[]): boolean =>
  owned.includes('*') || wanted.every((value) => owned.includes(value))

function resourceCovers(owned: readonly string[], resource: string): boolean {
  if (owned.includes('*') || owned.includes(resource)) return true
  const slash = resource.indexOf('/')
  return slash !== -1 && owned.includes(`*${resource.slice(slash)}`)
}

const pathCovers = (owned: string, path: string): boolean =>
  owned === path || owned === '*' || (owned.endsWith('*') && path.startsWith(owned.slice(0, -1)))
