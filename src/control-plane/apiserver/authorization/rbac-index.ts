/** Roles and bindings arranged by subject, so that a decision looks only at the rules of the user who asks. */
import type {
  ClusterRole,
  ClusterRoleBinding,
  PolicyRule,
  Role,
  RoleBinding,
  RoleRef,
  Subject,
} from '#api/rbac/v1.gen.ts'
import type { Named } from './object-feeds.ts'
import type { UserInfo } from '../request.ts'

/** A binding as it applies to one subject; `rules` is null while its role does not exist. */
export type Grant = {
  readonly rules: readonly PolicyRule[] | null
  /** Ends the reason of an allowed request: `ClusterRoleBinding "x" of ClusterRole "y" to Group "z"`. */
  readonly source: string
  /** What a missing role is called in the reason of a refusal. */
  readonly missingRole: string
}

type Binding = {
  readonly kind: 'ClusterRoleBinding' | 'RoleBinding'
  readonly name: string
  readonly namespace: string
  readonly roleRef: RoleRef
  readonly subject: Subject
}

const CLUSTER = ''

export class RbacIndex {
  readonly #roles = new Map<string, readonly PolicyRule[]>()
  /** By binding, to take it out again. */
  readonly #subjectsOf = new Map<string, readonly Binding[]>()
  /** namespace ('' for the cluster) -> subject -> bindings, by binding key. */
  readonly #bySubject = new Map<string, Map<string, Map<string, Binding>>>()

  setRole(role: Role | ClusterRole): void {
    this.#roles.set(roleKey(role.metadata.namespace ?? CLUSTER, role.metadata.name), role.rules ?? [])
  }

  deleteRole(role: Named): void {
    this.#roles.delete(roleKey(role.metadata.namespace ?? CLUSTER, role.metadata.name))
  }

  setBinding(binding: RoleBinding | ClusterRoleBinding): void {
    this.deleteBinding(binding)
    const namespace = binding.metadata.namespace ?? CLUSTER
    const kind = namespace === CLUSTER ? 'ClusterRoleBinding' : 'RoleBinding'
    const key = roleKey(namespace, binding.metadata.name)
    const bindings = (binding.subjects ?? []).map((subject): Binding => ({
      kind,
      name: binding.metadata.name,
      namespace,
      roleRef: binding.roleRef,
      subject,
    }))
    this.#subjectsOf.set(key, bindings)
    for (const one of bindings) this.#bucket(namespace, subjectKey(one)).set(key, one)
  }

  deleteBinding(binding: Named): void {
    const namespace = binding.metadata.namespace ?? CLUSTER
    const key = roleKey(namespace, binding.metadata.name)
    const subjects = this.#bySubject.get(namespace)
    for (const one of this.#subjectsOf.get(key) ?? []) {
      const bucket = subjects?.get(subjectKey(one))
      bucket?.delete(key)
      if (bucket?.size === 0) subjects?.delete(subjectKey(one))
    }
    if (subjects?.size === 0) this.#bySubject.delete(namespace)
    this.#subjectsOf.delete(key)
  }

  /** What bindings give a user: those of the cluster first, then those of the namespace. */
  *grantsOf(user: UserInfo, namespace: string): Generator<Grant> {
    const scopes = namespace === CLUSTER ? [CLUSTER] : [CLUSTER, namespace]
    for (const scope of scopes) {
      const subjects = this.#bySubject.get(scope)
      if (subjects === undefined) continue
      for (const key of subjectKeysOf(user))
        for (const binding of subjects.get(key)?.values() ?? []) yield this.#grantOf(binding)
    }
  }

  /** The rules a role reference stands for; null when there is no such role. */
  rulesOf(roleRef: RoleRef, namespace: string): readonly PolicyRule[] | null {
    return this.#roles.get(roleKey(roleRef.kind === 'ClusterRole' ? CLUSTER : namespace, roleRef.name)) ?? null
  }

  #grantOf(binding: Binding): Grant {
    const resource = binding.roleRef.kind === 'ClusterRole' ? 'clusterrole' : 'role'
    return {
      rules: this.rulesOf(binding.roleRef, binding.namespace),
      source: describe(binding),
      missingRole: `${resource}.rbac.authorization.k8s.io ${JSON.stringify(binding.roleRef.name)} not found`,
    }
  }

  #bucket(namespace: string, subject: string): Map<string, Binding> {
    const subjects = getOrMake(this.#bySubject, namespace, () => new Map<string, Map<string, Binding>>())
    return getOrMake(subjects, subject, () => new Map<string, Binding>())
  }
}

function getOrMake<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key)
  if (value === undefined) map.set(key, (value = make()))
  return value
}

const roleKey = (namespace: string, name: string): string => `${namespace}/${name}`

/** A service account is bound by its user name; one without a namespace is in the binding's. */
function subjectKey({ subject, namespace }: Binding): string {
  switch (subject.kind) {
    case 'Group':
      return `group:${subject.name}`
    case 'ServiceAccount':
      return `user:system:serviceaccount:${subject.namespace ?? namespace}:${subject.name}`
    default:
      return `user:${subject.name}`
  }
}

function subjectKeysOf(user: UserInfo): string[] {
  return [`user:${user.name}`, ...user.groups.map((group) => `group:${group}`)]
}

function describe({ kind, name, namespace, roleRef, subject }: Binding): string {
  const bindingName = namespace === CLUSTER ? name : `${name}/${namespace}`
  const subjectName =
    subject.kind === 'ServiceAccount' ? `${subject.name}/${subject.namespace ?? namespace}` : subject.name
  return `${kind} ${JSON.stringify(bindingName)} of ${roleRef.kind} ${JSON.stringify(roleRef.name)} to ${subject.kind} ${JSON.stringify(subjectName)}`
}
