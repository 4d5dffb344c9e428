/** Names and groups that Kubernetes gives to users it makes itself. */
import type { UserInfo } from '../request.ts'

export const ANONYMOUS_USER = 'system:anonymous'
export const AUTHENTICATED_GROUP = 'system:authenticated'
export const UNAUTHENTICATED_GROUP = 'system:unauthenticated'
export const CREDENTIAL_ID = 'authentication.kubernetes.io/credential-id'

export const ANONYMOUS: UserInfo = { name: ANONYMOUS_USER, uid: '', groups: [UNAUTHENTICATED_GROUP], extra: {} }

export const serviceAccountUser = (namespace: string, name: string): string =>
  `system:serviceaccount:${namespace}:${name}`

export const serviceAccountGroups = (namespace: string): string[] => [
  'system:serviceaccounts',
  `system:serviceaccounts:${namespace}`,
]

/** Namespace and name of a service account's user name, null for any other user. */
export function parseServiceAccountUser(user: string): { namespace: string; name: string } | null {
  const match = /^system:serviceaccount:([a-z0-9]([-a-z0-9]*[a-z0-9])?):([a-z0-9]([-.a-z0-9]*[a-z0-9])?)$/.exec(user)
  return match === null ? null : { namespace: match[1]!, name: match[3]! }
}

/** Everyone who proved who they are is in this group, once. */
export function withAuthenticatedGroup(user: UserInfo): UserInfo {
  if (user.groups.includes(AUTHENTICATED_GROUP) || user.groups.includes(UNAUTHENTICATED_GROUP)) return user
  return { ...user, groups: [...user.groups, AUTHENTICATED_GROUP] }
}
