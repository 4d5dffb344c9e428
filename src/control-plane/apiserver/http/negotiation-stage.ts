/** Refuses before anything happens when the client accepts nothing that there is. */
import type { KindDefinition } from '#api/kind.ts'
import { StatusError } from '#machinery/status-error.ts'
import type { ApiRequest, Stage } from '../request.ts'
import { MEDIA_TYPES, notAcceptable, parseAccept, type AcceptClause } from './negotiation.ts'

/** Their answers are text, or come from elsewhere. */
const OTHER_TYPES = new Set(['log', 'exec', 'attach', 'portforward', 'proxy'])
const KNOWN_TYPES: ReadonlySet<string> = new Set(['*/*', 'application/*', ...MEDIA_TYPES])
const STREAM_TYPES = ['application/json;stream=watch', 'application/vnd.kubernetes.protobuf;stream=watch']
/** Forms of an answer that a client may ask for instead of the object. */
const TRANSFORMS = new Set(['Table', 'PartialObjectMetadata', 'PartialObjectMetadataList'])
const TRANSFORM_VERSIONS = new Set(['v1', 'v1beta1'])

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

function isKnownForm({ parameters }: AcceptClause, isResource: boolean): boolean {
  const { as, g, v } = parameters
  if (as === undefined) return true
  if (!isResource) return as === 'APIGroupDiscoveryList' && g === 'apidiscovery.k8s.io'
  return TRANSFORMS.has(as) && g === 'meta.k8s.io' && TRANSFORM_VERSIONS.has(v ?? '')
}

function noSuchForm(): StatusError {
  return new StatusError({
    code: 406,
    reason: 'NotAcceptable',
    message: `only the following media types are accepted: ${MEDIA_TYPES.join(', ')}`,
  })
}
