/** Permissions in the whole cluster. */
import type { ClusterRole } from '#api/rbac/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import { clusterRoleStrategy } from '../roles.ts'

export const clusterRoleKind = defineKind<ClusterRole>('rbac.authorization.k8s.io/v1/clusterroles', {
  nameRule: 'path-segment',
  strategy: clusterRoleStrategy,
})
