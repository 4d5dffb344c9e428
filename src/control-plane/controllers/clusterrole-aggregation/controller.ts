/** Fills the rules of aggregated ClusterRoles with those of all ClusterRoles that their selectors match. */
import { isDeepStrictEqual } from 'node:util'
import type { ClusterRole, PolicyRule } from '#api/rbac/v1.gen.ts'
import { CLUSTERROLES } from '#api/resources.gen.ts'
import type { Client } from '#client/client.ts'
import type { Informer } from '#client/informer.ts'
import { matcherOf } from '#machinery/selectors/label-selector.ts'
import type { Controller, ControllerContext, Enqueue, Result } from '../controller.ts'

export class ClusterRoleAggregationController implements Controller {
  readonly name = 'clusterrole-aggregation-controller'
  readonly workers = 5
  readonly #client: Client
  readonly #roles: Informer<ClusterRole>

  constructor({ client, informers }: ControllerContext) {
    this.#client = client
    this.#roles = informers.informer(CLUSTERROLES)
  }

  watch(enqueue: Enqueue): void {
    // Any role may be part of any aggregated one.
    const onRole = (): void => {
      for (const role of this.#roles.list()) if (role.aggregationRule !== undefined) enqueue(role.metadata.name)
    }
    this.#roles.addHandler({ added: onRole, updated: onRole, deleted: onRole })
  }

  async reconcile(key: string, signal: AbortSignal): Promise<Result> {
    const role = this.#roles.get(key)
    if (role?.aggregationRule === undefined) return {}
    const rules = planRules(role, this.#roles.list())
    if (isDeepStrictEqual(rules, role.rules ?? [])) return {}
    const body = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: key }, rules }
    const options = { fieldManager: 'clusterrole-aggregation-controller', force: true }
    await this.#client.patch<ClusterRole>(CLUSTERROLES, '', key, 'apply', body, options, signal)
    return {}
  }
}

/** The rules of all roles that a selector matches, in the order of names, each once. */
export function planRules(role: ClusterRole, roles: readonly ClusterRole[]): PolicyRule[] {
  const rules: PolicyRule[] = []
  for (const selector of role.aggregationRule?.clusterRoleSelectors ?? []) {
    const matcher = matcherOf(selector)
    const parts = roles
      .filter(({ metadata }) => metadata.name !== role.metadata.name && matcher.matches(metadata.labels))
      .toSorted((left, right) => (left.metadata.name < right.metadata.name ? -1 : 1))
    for (const rule of parts.flatMap((part) => part.rules ?? []))
      if (!rules.some((known) => isDeepStrictEqual(known, rule))) rules.push(rule)
  }
  return rules
}
