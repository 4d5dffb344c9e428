/** Nobody grants more than they have: roles and bindings are checked against the rules of whoever writes them. */
import type { ClusterRole, RoleBinding } from '#api/rbac/v1.gen.ts'
import { forbidden } from '#machinery/status-error.ts'
import type { Authorizer, PolicyRule } from '../authorization/authorizer.ts'
import { isOnlyForCollection, type AdmissionAttributes, type AdmissionPlugin } from './admission.ts'
import type { ClusterReader } from './cluster-reader.ts'
import { uncoveredRules } from '../authorization/rule-cover.ts'

const GROUP = 'rbac.authorization.k8s.io'
const MASTERS = 'system:masters'

export function createRbacEscalationCheck(cluster: ClusterReader, authorizer: Authorizer): AdmissionPlugin {
  return {
    name: 'RbacEscalationCheck',
    async validate(attributes) {
      const { kind, operation, user, object, oldObject } = attributes
      if (kind.group !== GROUP || operation === 'DELETE' || object === null || user.groups.includes(MASTERS)) return
      if (oldObject !== null && isOnlyForCollection(object, oldObject)) return
      if (kind.resource === 'roles' || kind.resource === 'clusterroles') {
        if (await may(authorizer, attributes, 'escalate', kind.resource, attributes.name)) return
        await refuseUncovered(authorizer, attributes, (object as ClusterRole).rules ?? [])
        return checkAggregation(authorizer, attributes)
      }
      const { roleRef } = object as RoleBinding
      const resource = roleRef.kind === 'ClusterRole' ? 'clusterroles' : 'roles'
      if (await may(authorizer, attributes, 'bind', resource, roleRef.name)) return
      const role = await cluster.get<ClusterRole>(
        GROUP,
        resource,
        roleRef.kind === 'ClusterRole' ? '' : attributes.namespace,
        roleRef.name,
      )
      if (role === null)
        throw forbidden(
          { group: GROUP, resource: kind.resource },
          attributes.name,
          `${resource}.${GROUP} ${JSON.stringify(roleRef.name)} not found`,
        )
      await refuseUncovered(authorizer, attributes, role.rules ?? [])
    },
  }
}

/** An aggregated role takes in whatever others write: only who may do everything may make one. */
async function checkAggregation(authorizer: Authorizer, attributes: AdmissionAttributes): Promise<void> {
  const roles = [attributes.object, attributes.oldObject] as readonly (ClusterRole | null)[]
  if (!roles.some((role) => (role?.aggregationRule?.clusterRoleSelectors?.length ?? 0) > 0)) return
  const { rules } = await authorizer.rulesFor(attributes.user, attributes.namespace)
  if (uncoveredRules(rules, FULL_AUTHORITY).length === 0) return
  const resource = { group: GROUP, resource: attributes.kind.resource }
  throw forbidden(resource, attributes.name, 'must have cluster-admin privileges to use the aggregationRule')
}

const FULL_AUTHORITY: readonly PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
]

async function may(
  authorizer: Authorizer,
  { user, namespace }: AdmissionAttributes,
  verb: string,
  resource: string,
  name: string,
): Promise<boolean> {
  const decision = await authorizer.authorize({
    user,
    verb,
    isResourceRequest: true,
    namespace,
    group: GROUP,
    version: '*',
    resource,
    subresource: '',
    name,
    path: '',
  })
  return decision.verdict === 'allow'
}

async function refuseUncovered(
  authorizer: Authorizer,
  attributes: AdmissionAttributes,
  wanted: readonly PolicyRule[],
): Promise<void> {
  const { user, namespace, kind, name } = attributes
  const { rules } = await authorizer.rulesFor(user, namespace)
  const missing = joinVerbs(uncoveredRules(rules, wanted))
  if (missing.length === 0) return
  const groups = user.groups.map((group) => JSON.stringify(group)).join(' ')
  const texts = missing.map(formatRule).toSorted().join('\n')
  throw forbidden(
    { group: kind.group, resource: kind.resource },
    name,
    `user ${JSON.stringify(user.name)} (groups=[${groups}]) is attempting to grant RBAC permissions not currently held:\n${texts}`,
  )
}

/** `{APIGroups:[""], Resources:["pods"], Verbs:["get"]}`, upstream's short form. */
function formatRule({ apiGroups, resources, resourceNames, nonResourceURLs, verbs }: PolicyRule): string {
  const parts: [string, readonly string[] | undefined][] = [
    ['APIGroups', apiGroups],
    ['Resources', resources],
    ['ResourceNames', resourceNames],
    ['NonResourceURLs', nonResourceURLs],
    ['Verbs', verbs],
  ]
  const texts = parts
    .filter(([, values]) => (values?.length ?? 0) > 0)
    .map(([label, values]) => `${label}:[${values!.map((value) => JSON.stringify(value)).join(' ')}]`)
  return `{${texts.join(', ')}}`
}

/** Rules that differ by their verbs alone are told as one. */
function joinVerbs(rules: readonly PolicyRule[]): PolicyRule[] {
  const joined = new Map<string, PolicyRule>()
  for (const rule of rules) {
    const key = JSON.stringify([rule.apiGroups, rule.resources, rule.resourceNames, rule.nonResourceURLs])
    const known = joined.get(key)
    joined.set(key, known === undefined ? rule : { ...known, verbs: [...new Set([...known.verbs, ...rule.verbs])] })
  }
  return [...joined.values()]
}
