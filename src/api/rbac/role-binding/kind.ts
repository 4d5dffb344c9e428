/** Grants a role in one namespace. */
import type { RoleBinding } from '#api/rbac/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import { formatAge } from '#api/table-cells.ts'
import { subjectCells } from '../subjects.ts'
import { bindingStrategy } from '../bindings.ts'

export const roleBindingKind = defineKind<RoleBinding>('rbac.authorization.k8s.io/v1/rolebindings', {
  nameRule: 'path-segment',
  strategy: bindingStrategy<RoleBinding>(['Role', 'ClusterRole']),
  row: (object, nowMs) => [
    object.metadata.name,
    `${object.roleRef.kind}/${object.roleRef.name}`,
    formatAge(object.metadata.creationTimestamp, nowMs),
    ...subjectCells(object.subjects),
  ],
})
