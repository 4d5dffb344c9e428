/** Refuses requests that no authorizer allows, in upstream's words. */
import { forbidden, StatusError } from '#machinery/status-error.ts'
import type { ApiRequest, Stage } from '../request.ts'
import type { Attributes, Authorizer } from './authorizer.ts'

export function createAuthorizationStage(authorizer: Authorizer): Stage {
  return async (request, next) => {
    const attributes = attributesOf(request)
    const decision = await authorizer.authorize(attributes)
    const isAllowed = decision.verdict === 'allow'
    request.audit?.annotations.set('authorization.k8s.io/decision', isAllowed ? 'allow' : 'forbid')
    request.audit?.annotations.set('authorization.k8s.io/reason', decision.reason)
    if (!isAllowed) throw forbiddenError(attributes, decision.reason)
    return next(request)
  }
}

const VERBS_WITH_SELECTORS = new Set(['list', 'watch', 'deletecollection'])

export function attributesOf(request: ApiRequest): Attributes {
  const { info, user, path } = request
  const fieldSelector = VERBS_WITH_SELECTORS.has(info.verb) ? request.query.get('fieldSelector') : null
  return {
    user,
    verb: info.verb,
    isResourceRequest: info.isResourceRequest,
    namespace: info.namespace,
    group: info.group,
    version: info.version,
    resource: info.resource,
    subresource: info.subresource,
    name: info.name,
    path,
    ...(fieldSelector ? { fieldSelector } : {}),
  }
}

export function forbiddenError(attributes: Attributes, reason: string): StatusError {
  const message = escapeHtml(forbiddenMessage(attributes))
  const why = reason === '' ? message : `${message}: ${reason}`
  if (!attributes.isResourceRequest)
    return new StatusError({
      code: 403,
      reason: 'Forbidden',
      message: `forbidden: ${why}`,
      details: {},
      headers: NO_SNIFFING,
    })
  const error = forbidden({ group: attributes.group, resource: attributes.resource }, attributes.name, why)
  return new StatusError({
    code: error.code,
    reason: error.reason,
    message: error.message,
    ...(error.details === undefined ? {} : { details: error.details }),
    headers: NO_SNIFFING,
  })
}

/** The text repeats what the client sent. */
const NO_SNIFFING = { 'X-Content-Type-Options': 'nosniff' }

function forbiddenMessage(attributes: Attributes): string {
  const quote = JSON.stringify
  const { user, verb, group, namespace } = attributes
  if (!attributes.isResourceRequest) return `User ${quote(user.name)} cannot ${verb} path ${quote(attributes.path)}`
  const resource =
    attributes.subresource === '' ? attributes.resource : `${attributes.resource}/${attributes.subresource}`
  const where = namespace === '' ? 'at the cluster scope' : `in the namespace ${quote(namespace)}`
  return `User ${quote(user.name)} cannot ${verb} resource ${quote(resource)} in API group ${quote(group)} ${where}`
}

/** Keeps a browser from taking an error text for markup; quotes stay. */
function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
