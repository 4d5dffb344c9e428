/** The ways in which one user may act as another: constrained to a kind of user and a kind of request, or the old way without limits. */
import type { Attributes, Authorizer } from '../authorization/authorizer.ts'
import { forbiddenError } from '../authorization/authorization-stage.ts'
import type { UserInfo } from '../request.ts'
import { parseServiceAccountUser } from './users.ts'

/** The identity asked for, as the headers say it. */
export type WantedUser = {
  readonly name: string
  readonly uid: string
  readonly groups: readonly string[]
  readonly extra: Readonly<Record<string, readonly string[]>>
}

export type ImpersonationMode = {
  /** `user-info`, …; null for the old way, whose verb is plain `impersonate`. */
  readonly name: string | null
  appliesTo(wanted: WantedUser, requestor: UserInfo): boolean
}

const NODE_PREFIX = 'system:node:'
const NODE_NAME_EXTRA = 'authentication.kubernetes.io/node-name'

export const nodeNameOfUser = (user: string): string | null =>
  user.startsWith(NODE_PREFIX) && user.length > NODE_PREFIX.length ? user.slice(NODE_PREFIX.length) : null

const isOnlyName = ({ uid, groups, extra }: WantedUser): boolean =>
  uid === '' && groups.length === 0 && Object.keys(extra).length === 0

/** A pod's service account and the node that this pod runs on. */
function isOwnNode(wanted: WantedUser, requestor: UserInfo): boolean {
  const node = nodeNameOfUser(wanted.name)
  const own = requestor.extra[NODE_NAME_EXTRA]
  return node !== null && parseServiceAccountUser(requestor.name) !== null && own?.length === 1 && own[0] === node
}

/** In the order in which they are tried: the narrow ones first. */
export const IMPERSONATION_MODES: readonly ImpersonationMode[] = [
  { name: 'associated-node', appliesTo: (wanted, requestor) => isOnlyName(wanted) && isOwnNode(wanted, requestor) },
  { name: 'arbitrary-node', appliesTo: (wanted) => isOnlyName(wanted) && nodeNameOfUser(wanted.name) !== null },
  {
    name: 'serviceaccount',
    appliesTo: (wanted) => isOnlyName(wanted) && parseServiceAccountUser(wanted.name) !== null,
  },
  {
    name: 'user-info',
    appliesTo: ({ name }) => nodeNameOfUser(name) === null && parseServiceAccountUser(name) === null,
  },
  { name: null, appliesTo: () => true },
]

/** Throws the refusal of the first check that fails; `request` is what the requestor wants to do as the other user. */
export async function checkMode(
  { name: mode }: ImpersonationMode,
  wanted: WantedUser,
  request: Attributes,
  authorizer: Authorizer,
): Promise<void> {
  if (mode !== null) await requireAllowed(authorizer, onBehalf(mode, request))
  const verb = mode === null ? 'impersonate' : `impersonate:${mode}`
  for (const part of partsOf(wanted, mode)) {
    const attributes: Attributes = { ...part, user: request.user, verb, isResourceRequest: true, path: '' }
    const reason = mode === null ? null : refusalOf(part)
    if (reason !== null) throw forbiddenError(attributes, reason)
    await requireAllowed(authorizer, attributes)
  }
}

function onBehalf(mode: string, request: Attributes): Attributes {
  const attributes = { ...request, verb: `impersonate-on:${mode}:${request.verb}` }
  return mode === 'associated-node' ? { ...attributes, user: withoutExtra(request.user) } : attributes
}

/** The association was checked: rules see which extra keys there are, not their values. */
const withoutExtra = (user: UserInfo): UserInfo => ({
  ...user,
  extra: { 'authentication.kubernetes.io/associated-node-keys': Object.keys(user.extra).toSorted() },
})

async function requireAllowed(authorizer: Authorizer, attributes: Attributes): Promise<void> {
  const decision = await authorizer.authorize(attributes)
  if (decision.verdict !== 'allow') throw forbiddenError(attributes, decision.reason)
}

/** One part of the identity, as the resource that the verb is allowed on. */
type Part = Pick<Attributes, 'group' | 'version' | 'namespace' | 'resource' | 'subresource' | 'name'>

function partsOf({ name, uid, groups, extra }: WantedUser, mode: string | null): Part[] {
  const authentication = { group: 'authentication.k8s.io', version: 'v1', namespace: '', subresource: '' }
  const ofUsers = mode === null ? { ...authentication, group: '' } : authentication
  const parts: Part[] = [{ ...ofUsers, ...userPart(name, mode) }]
  if (uid !== '') parts.push({ ...authentication, resource: 'uids', name: uid })
  for (const group of groups) parts.push({ ...ofUsers, resource: 'groups', name: group })
  for (const [key, values] of Object.entries(extra))
    for (const value of values) parts.push({ ...authentication, resource: 'userextras', subresource: key, name: value })
  return parts
}

function userPart(name: string, mode: string | null): Pick<Part, 'resource' | 'name'> & { namespace?: string } {
  const account = parseServiceAccountUser(name)
  if (account !== null) return { resource: 'serviceaccounts', ...account }
  const node = mode === null ? null : nodeNameOfUser(name)
  // The rule for the own node holds for every node a pod may run on.
  if (node !== null) return { resource: 'nodes', name: mode === 'associated-node' ? '*' : node }
  return { resource: 'users', name }
}

/** What the constrained modes never allow. */
function refusalOf({ resource, subresource, name }: Part): string | null {
  if (resource === 'groups' && name === '') return 'impersonating the empty string group is not allowed'
  if (resource === 'groups' && name === 'system:masters') return 'impersonating the system:masters group is not allowed'
  if (resource !== 'userextras') return null
  if (subresource === '') return 'impersonating the empty string key in extra is not allowed'
  return name === '' ? 'impersonating the empty string value in extra is not allowed' : null
}
