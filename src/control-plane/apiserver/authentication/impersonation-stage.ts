/** Lets a user act as another one, when allowed to impersonate every part of that identity. */
import { badRequest } from '#machinery/status-error.ts'
import type { Attributes, Authorizer } from '../authorization/authorizer.ts'
import { forbiddenError } from '../authorization/authorization-stage.ts'
import type { ApiRequest, Stage, UserInfo } from '../request.ts'
import {
  ANONYMOUS_USER,
  AUTHENTICATED_GROUP,
  UNAUTHENTICATED_GROUP,
  parseServiceAccountUser,
  serviceAccountGroups,
} from './users.ts'

/** One part of the identity asked for, as the resource that `impersonate` is allowed on. */
type Part = Pick<Attributes, 'group' | 'version' | 'namespace' | 'resource' | 'subresource' | 'name'>

type Wanted = {
  readonly user: string
  readonly uid: string
  readonly groups: readonly string[]
  readonly extra: Readonly<Record<string, readonly string[]>>
}

export function createImpersonationStage(authorizer: Authorizer): Stage {
  return async (request, next) => {
    const wanted = readHeaders(request)
    if (wanted === null) return next(request)
    for (const part of partsOf(wanted)) {
      const attributes: Attributes = {
        ...part,
        user: request.user,
        verb: 'impersonate',
        isResourceRequest: true,
        path: '',
      }
      const decision = await authorizer.authorize(attributes)
      if (decision.verdict !== 'allow') throw forbiddenError(attributes, decision.reason)
    }
    request.user = impersonatedUser(wanted)
    return next(request)
  }
}

const EXTRA_PREFIX = 'impersonate-extra-'

function readHeaders(request: ApiRequest): Wanted | null {
  const wanted = { user: '', uid: '', groups: [] as string[], extra: {} as Record<string, string[]> }
  for (const [rawName, value] of request.connection?.rawHeaders ?? []) {
    const name = rawName.toLowerCase()
    if (name === 'impersonate-user') wanted.user ||= value
    else if (name === 'impersonate-uid') wanted.uid ||= value
    else if (name === 'impersonate-group') wanted.groups.push(value)
    else if (name.startsWith(EXTRA_PREFIX))
      (wanted.extra[unescapeKey(name.slice(EXTRA_PREFIX.length))] ??= []).push(value)
  }
  if (wanted.user !== '') return wanted
  const parts = partsOf(wanted)
  if (parts.length === 0) return null
  throw badRequest(`requested [${parts.map(describe).join(' ')}] without impersonating a user`)
}

/** A key that is not encoded properly stands for itself. */
function unescapeKey(key: string): string {
  try {
    return decodeURIComponent(key)
  } catch {
    return key
  }
}

function partsOf({ user, uid, groups, extra }: Wanted): Part[] {
  const core = { group: '', version: '', namespace: '', subresource: '' }
  const authentication = { group: 'authentication.k8s.io', version: 'v1', namespace: '', subresource: '' }
  const account = parseServiceAccountUser(user)
  const parts: Part[] = []
  if (account !== null) parts.push({ ...core, ...account, resource: 'serviceaccounts' })
  else if (user !== '') parts.push({ ...core, resource: 'users', name: user })
  for (const name of groups) parts.push({ ...core, resource: 'groups', name })
  for (const [key, values] of Object.entries(extra))
    for (const name of values) parts.push({ ...authentication, resource: 'userextras', subresource: key, name })
  if (uid !== '') parts.push({ ...authentication, resource: 'uids', name: uid })
  return parts
}

const KIND_OF_RESOURCE: Readonly<Record<string, string>> = { groups: 'Group', userextras: 'UserExtra', uids: 'UID' }

/** Go's print of the ObjectReference that upstream names in its refusal. */
function describe({ resource, name, group, version, subresource }: Part): string {
  const apiVersion = group === '' ? '' : `${group}/${version}`
  return `{${KIND_OF_RESOURCE[resource] ?? ''}  ${name}  ${apiVersion}  ${subresource}}`
}

function impersonatedUser({ user, uid, groups, extra }: Wanted): UserInfo {
  const account = parseServiceAccountUser(user)
  const all = groups.length === 0 && account !== null ? serviceAccountGroups(account.namespace) : [...groups]
  if (user === ANONYMOUS_USER) {
    if (!all.includes(UNAUTHENTICATED_GROUP)) all.push(UNAUTHENTICATED_GROUP)
  } else if (!all.includes(AUTHENTICATED_GROUP) && !all.includes(UNAUTHENTICATED_GROUP)) all.push(AUTHENTICATED_GROUP)
  return { name: user, uid, groups: all, extra }
}
