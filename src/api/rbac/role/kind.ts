/** Permissions in one namespace. */
import type { Role } from '#api/rbac/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import { roleStrategy } from '../roles.ts'

export const roleKind = defineKind<Role>('rbac.authorization.k8s.io/v1/roles', {
  nameRule: 'path-segment',
  strategy: roleStrategy,
})
