/** Whether a FlowSchema speaks of a request: by who asks, and for what. Pure. */
import type {
  FlowSchema,
  NonResourcePolicyRule,
  PolicyRulesWithSubjects,
  ResourcePolicyRule,
  Subject,
} from '#api/flowcontrol/v1.gen.ts'
import type { ApiRequest, UserInfo } from '../request.ts'

/** What requests are sorted by. */
export type Classified = Pick<ApiRequest, 'user' | 'info' | 'path'>

const ANY = '*'
const ACCOUNT_PREFIX = 'system:serviceaccount:'

export function matchesFlowSchema({ spec }: FlowSchema, request: Classified): boolean {
  return (spec.rules ?? []).some((rule) => matchesRule(rule, request))
}

function matchesRule(rule: PolicyRulesWithSubjects, { user, info, path }: Classified): boolean {
  if (!(rule.subjects ?? []).some((subject) => isSubject(subject, user))) return false
  if (info.isResourceRequest) return (rule.resourceRules ?? []).some((one) => matchesResource(one, info))
  return (rule.nonResourceRules ?? []).some((one) => matchesPath(one, info.verb, path))
}

function isSubject({ kind, user: named, group, serviceAccount }: Subject, user: UserInfo): boolean {
  switch (kind) {
    case 'User':
      return named !== undefined && (named.name === ANY || named.name === user.name)
    case 'Group':
      return group !== undefined && (group.name === ANY || user.groups.includes(group.name))
    case 'ServiceAccount':
      if (serviceAccount === undefined) return false
      return serviceAccount.name === ANY
        ? user.name.startsWith(`${ACCOUNT_PREFIX}${serviceAccount.namespace}:`)
        : user.name === `${ACCOUNT_PREFIX}${serviceAccount.namespace}:${serviceAccount.name}`
    default:
      return false
  }
}

/** The wildcard stands alone: validation sees to it. */
const isIn = (value: string, list: readonly string[] | undefined): boolean =>
  list !== undefined && (list.includes(value) || (list.length === 1 && list[0] === ANY))

function matchesResource(rule: ResourcePolicyRule, info: ApiRequest['info']): boolean {
  if (!isIn(info.verb, rule.verbs)) return false
  if (!isIn(info.subresource === '' ? info.resource : `${info.resource}/${info.subresource}`, rule.resources))
    return false
  if (!isIn(info.group, rule.apiGroups)) return false
  return info.namespace === '' ? rule.clusterScope === true : isIn(info.namespace, rule.namespaces)
}

function matchesPath({ verbs, nonResourceURLs }: NonResourcePolicyRule, verb: string, path: string): boolean {
  return isIn(verb, verbs) && nonResourceURLs.some((url) => url === ANY || url === path || isBelow(path, url))
}

function isBelow(path: string, url: string): boolean {
  const prefix = url.endsWith(ANY) ? url.slice(0, -1) : url
  return path.startsWith(prefix.endsWith('/') ? prefix : `${prefix}/`)
}
