/** Answers from Roles and bindings; everything that is not allowed by one of them stays open for the next authorizer. */
import type { ClusterRole, ClusterRoleBinding, Role, RoleBinding } from '#api/rbac/v1.gen.ts'
import { CLUSTERROLEBINDINGS, CLUSTERROLES, ROLEBINDINGS, ROLES } from '#api/resources.gen.ts'
import type { UserInfo } from '../request.ts'
import type { Attributes, Authorizer, Decision, PolicyRule } from './authorizer.ts'
import type { Named, ObjectFeeds } from './object-feeds.ts'
import type { RbacIndex } from './rbac-index.ts'
import { ruleAllows } from './rule-match.ts'

export class RbacAuthorizer implements Authorizer {
  readonly #index: RbacIndex
  constructor(index: RbacIndex) {
    this.#index = index
  }

  async authorize(attributes: Attributes): Promise<Decision> {
    const missing = new Set<string>()
    for (const grant of this.#index.grantsOf(attributes.user, attributes.namespace)) {
      if (grant.rules === null) missing.add(grant.missingRole)
      else if (grant.rules.some((rule) => ruleAllows(rule, attributes)))
        return { verdict: 'allow', reason: `RBAC: allowed by ${grant.source}` }
    }
    return { verdict: 'no-opinion', reason: missing.size === 0 ? '' : `RBAC: ${aggregate([...missing])}` }
  }

  async rulesFor(user: UserInfo, namespace: string): ReturnType<Authorizer['rulesFor']> {
    const rules: PolicyRule[] = []
    const errors = new Set<string>()
    for (const grant of this.#index.grantsOf(user, namespace)) {
      if (grant.rules === null) errors.add(grant.missingRole)
      else rules.push(...grant.rules)
    }
    return { rules, incomplete: false, errors: [...errors] }
  }
}

/** Several errors as one text, as Go's aggregate writes them. */
const aggregate = (errors: readonly string[]): string => (errors.length === 1 ? errors[0]! : `[${errors.join(', ')}]`)

/** Keeps an index current from the four kinds; call before the feeds start. */
export function followRbac(index: RbacIndex, feeds: ObjectFeeds): void {
  const roles = {
    set: (role: Role | ClusterRole) => index.setRole(role),
    drop: (role: Named) => index.deleteRole(role),
  }
  feeds.follow(ROLES, roles)
  feeds.follow(CLUSTERROLES, roles)
  const bindings = {
    set: (binding: RoleBinding | ClusterRoleBinding) => index.setBinding(binding),
    drop: (binding: Named) => index.deleteBinding(binding),
  }
  feeds.follow(ROLEBINDINGS, bindings)
  feeds.follow(CLUSTERROLEBINDINGS, bindings)
}
