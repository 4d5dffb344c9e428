/** Lets a user act as another one, when a mode of impersonation allows it. */
import { badRequest } from '#machinery/status-error.ts'
import type { Authorizer } from '../authorization/authorizer.ts'
import { attributesOf } from '../authorization/authorization-stage.ts'
import type { ApiRequest, Stage, UserInfo } from '../request.ts'
import {
  IMPERSONATION_MODES,
  checkMode,
  nodeNameOfUser,
  type ImpersonationMode,
  type WantedUser,
} from './impersonation-modes.ts'
import { unescapeKey } from './unescape-key.ts'
import {
  ANONYMOUS_USER,
  AUTHENTICATED_GROUP,
  UNAUTHENTICATED_GROUP,
  parseServiceAccountUser,
  serviceAccountGroups,
} from './users.ts'

export function createImpersonationStage(authorizer: Authorizer): Stage {
  return async (request, next) => {
    const wanted = readHeaders(request)
    if (wanted === null) return next(request)
    const mode = await allowedMode(request, wanted, authorizer)
    request.user = impersonatedUser(wanted, mode)
    if (request.audit !== undefined)
      request.audit.impersonated = {
        user: request.user,
        constraint: mode.name === null ? '' : `impersonate:${mode.name}`,
      }
    return next(request)
  }
}

/** The first mode that allows it. When none does, the refusal of the narrowest one says what is missing. */
async function allowedMode(
  request: ApiRequest,
  wanted: WantedUser,
  authorizer: Authorizer,
): Promise<ImpersonationMode> {
  let refusal: unknown
  for (const mode of IMPERSONATION_MODES) {
    if (!mode.appliesTo(wanted, request.user)) continue
    try {
      await checkMode(mode, wanted, attributesOf(request), authorizer)
      return mode
    } catch (error) {
      refusal ??= error
    }
  }
  throw refusal
}

const EXTRA_PREFIX = 'impersonate-extra-'

function readHeaders(request: ApiRequest): WantedUser | null {
  const wanted = { name: '', uid: '', groups: [] as string[], extra: {} as Record<string, string[]> }
  for (const [rawName, value] of request.connection?.rawHeaders ?? []) {
    const name = rawName.toLowerCase()
    if (name === 'impersonate-user') wanted.name ||= value
    else if (name === 'impersonate-uid') wanted.uid ||= value
    else if (name === 'impersonate-group') wanted.groups.push(value)
    else if (name.startsWith(EXTRA_PREFIX))
      (wanted.extra[unescapeKey(name.slice(EXTRA_PREFIX.length))] ??= []).push(value)
  }
  if (wanted.name !== '') return wanted
  if (wanted.uid === '' && wanted.groups.length === 0 && Object.keys(wanted.extra).length === 0) return null
  throw badRequest(`requested ${describe(wanted)} without impersonating a user name`)
}

/** Go's print of the user, which upstream's refusal contains. */
function describe({ name, uid, groups, extra }: WantedUser): string {
  const list = (values: readonly string[]): string =>
    `[]string{${values.map((value) => JSON.stringify(value)).join(', ')}}`
  const entries = Object.entries(extra).toSorted(([a], [b]) => (a < b ? -1 : 1))
  const groupText = groups.length === 0 ? '[]string(nil)' : list(groups)
  const extraText =
    entries.length === 0
      ? 'map[string][]string(nil)'
      : `map[string][]string{${entries.map(([key, values]) => `${JSON.stringify(key)}:${list(values)}`).join(', ')}}`
  return `&user.DefaultInfo{Name:${JSON.stringify(name)}, UID:${JSON.stringify(uid)}, Groups:${groupText}, Extra:${extraText}}`
}

function impersonatedUser({ name, uid, groups, extra }: WantedUser, mode: ImpersonationMode): UserInfo {
  const all = groups.length > 0 ? [...groups] : fixedGroups(name, mode)
  if (name === ANONYMOUS_USER) {
    if (!all.includes(UNAUTHENTICATED_GROUP)) all.push(UNAUTHENTICATED_GROUP)
  } else if (!all.includes(AUTHENTICATED_GROUP) && !all.includes(UNAUTHENTICATED_GROUP)) all.push(AUTHENTICATED_GROUP)
  return { name, uid, groups: all, extra }
}

/** Service accounts, and nodes in the constrained modes, are in the same groups always. */
function fixedGroups(name: string, mode: ImpersonationMode): string[] {
  const account = parseServiceAccountUser(name)
  if (account !== null) return serviceAccountGroups(account.namespace)
  return mode.name !== null && nodeNameOfUser(name) !== null ? ['system:nodes'] : []
}
