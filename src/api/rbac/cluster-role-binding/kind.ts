/** Grants a role in the whole cluster. */
import type { ClusterRoleBinding } from '#api/rbac/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import { formatAge } from '#api/table-cells.ts'
import { subjectCells } from '../subjects.ts'
import { bindingStrategy } from '../bindings.ts'

export const clusterRoleBindingKind = defineKind<ClusterRoleBinding>(
  'rbac.authorization.k8s.io/v1/clusterrolebindings',
  {
    nameRule: 'path-segment',
    strategy: bindingStrategy<ClusterRoleBinding>(['ClusterRole']),
    row: (object, nowMs) => [
      object.metadata.name,
      `${object.roleRef.kind}/${object.roleRef.name}`,
      formatAge(object.metadata.creationTimestamp, nowMs),
      ...subjectCells(object.subjects),
    ],
  },
)
