/** Refuses before anything happens when the client accepts nothing that there is. */
import type { KindDefinition } from '#api/kind.ts'
import { StatusError } from '#machinery/status-error.ts'
import type { ApiRequest, Stage } from '../request.ts'
import { isOfferedForm, MEDIA_TYPES, notAcceptable, parseAccept, type AcceptClause } from './negotiation.ts'

/** Their answers are text, or come from elsewhere. */
const OTHER_TYPES = new Set(['log', 'exec', 'attach', 'portforward', 'proxy'])
const KNOWN_TYPES: ReadonlySet<string> = new Set(['*/*', 'application/*', ...MEDIA_TYPES])
const STREAM_TYPES = ['application/json;stream=watch', 'application/vnd.kubernetes.protobuf;stream=watch']

export function createNegotiationStage(kinds: readonly KindDefinition[]): Stage {
  const served = new Set(kinds.map(({ group, version, resource }) => `${group}/${version}/${resource}`))
  return (request, next) => {
    const { info, path } = request
    const isResource = info.isResourceRequest && served.has(`${info.group}/${info.version}/${info.resource}`)
    if ((isResource && !OTHER_TYPES.has(info.subresource)) || (/^\/apis?(\/|$)/.test(path) && !info.isResourceRequest))
      checkAccept(request)
    return next(request)
  }
}

function checkAccept({ headers, info }: ApiRequest): void {
  const clauses = parseAccept(headers['accept'])
  if (clauses.length === 0) return
  const known = clauses.filter(({ type }) => KNOWN_TYPES.has(type))
  const isMany = info.verb === 'list' || info.verb === 'watch'
  if (known.length === 0) throw notAcceptable(isMany ? [...MEDIA_TYPES, ...STREAM_TYPES] : MEDIA_TYPES)
  if (!known.some((clause) => isKnownForm(clause, info.isResourceRequest))) throw noSuchForm()
}

function isKnownForm(clause: AcceptClause, isResource: boolean): boolean {
  const { as, g } = clause.parameters
  if (as === undefined) return true
  return isResource ? isOfferedForm(clause) : as === 'APIGroupDiscoveryList' && g === 'apidiscovery.k8s.io'
}

function noSuchForm(): StatusError {
  return new StatusError({
    code: 406,
    reason: 'NotAcceptable',
    message: `only the following media types are accepted: ${MEDIA_TYPES.join(', ')}`,
  })
}
