/** What has to change in a default role or binding that already exists: missing permissions come back, additions of users stay. */
import type { ClusterRole, ClusterRoleBinding, Role, RoleBinding, Subject } from '#api/rbac/v1.gen.ts'
import { uncoveredRules } from '../authorization/rule-cover.ts'

/** Set to `false` by users who keep their own version of a default role or binding. */
const AUTOUPDATE = 'rbac.authorization.kubernetes.io/autoupdate'

/** The object to write; null when nothing is missing; 'recreate' when the binding points to another role, which cannot be changed. */
export type Reconciled<T> = { readonly action: 'none' } | { readonly action: 'update' | 'recreate'; readonly object: T }

const NONE = { action: 'none' } as const

export function reconcileRole<T extends Role | ClusterRole>(existing: T, expected: T): Reconciled<T> {
  if (existing.metadata.annotations?.[AUTOUPDATE] === 'false') return NONE
  const metadata = mergeMetadata(existing.metadata, expected.metadata)
  // An aggregated role gets its rules from a controller.
  const isAggregated = 'aggregationRule' in expected && expected.aggregationRule !== undefined
  const missing = isAggregated ? [] : uncoveredRules(existing.rules ?? [], expected.rules ?? [])
  if (metadata === existing.metadata && missing.length === 0) return NONE
  const rules = [...(existing.rules ?? []), ...missing.map((rule) => ({ ...rule, verbs: [...rule.verbs] }))]
  return { action: 'update', object: { ...existing, metadata, ...(missing.length === 0 ? {} : { rules }) } as T }
}

export function reconcileBinding<T extends RoleBinding | ClusterRoleBinding>(existing: T, expected: T): Reconciled<T> {
  if (existing.metadata.annotations?.[AUTOUPDATE] === 'false') return NONE
  const { roleRef } = existing
  if (roleRef.kind !== expected.roleRef.kind || roleRef.name !== expected.roleRef.name)
    return { action: 'recreate', object: expected }
  const metadata = mergeMetadata(existing.metadata, expected.metadata)
  const subjects = existing.subjects ?? []
  const missing = (expected.subjects ?? []).filter(
    (wanted) => !subjects.some((subject) => isSameSubject(subject, wanted)),
  )
  if (metadata === existing.metadata && missing.length === 0) return NONE
  return { action: 'update', object: { ...existing, metadata, subjects: [...subjects, ...missing] } }
}

const isSameSubject = (a: Subject, b: Subject): boolean =>
  a.kind === b.kind && a.name === b.name && (a.namespace ?? '') === (b.namespace ?? '')

type Labelled = { labels?: Record<string, string>; annotations?: Record<string, string> }

/** The same object when nothing is missing. */
function mergeMetadata<M extends Labelled>(existing: M, expected: M): M {
  const labels = { ...expected.labels, ...existing.labels }
  const annotations = { ...expected.annotations, ...existing.annotations }
  const grown = (merged: object, old: object | undefined): boolean =>
    Object.keys(merged).length > Object.keys(old ?? {}).length
  if (!grown(labels, existing.labels) && !grown(annotations, existing.annotations)) return existing
  return { ...existing, labels, annotations }
}
