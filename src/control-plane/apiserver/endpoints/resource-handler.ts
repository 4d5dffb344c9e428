/** Sends a request about resources to the verb that answers it. */
import type { KindDefinition } from '#api/kind.ts'
import { methodNotSupported } from '#machinery/status-error.ts'
import { protobufTypesOf } from '../protobuf-types.ts'
import type { Resource } from '../registry/resource.ts'
import {
  mediaTypesOf,
  negotiate,
  noSuchForm,
  RESOURCE,
  streamTypesOf,
  YAML_TYPE,
  type Encoding,
  type MediaType,
} from '../http/negotiation.ts'
import { checkRouteMedia } from '../http/route-media.ts'
import type { ApiRequest, ApiResponse, Handler, RequestInfo } from '../request.ts'
import { methodNotAllowed, pageNotFound, unknownResource } from '../routes.ts'
import { formOf, transformForAccept } from '../tables/transform.ts'
import type { EndpointContext } from './context.ts'
import { withJsonOptionsOfCbor } from './cbor-body.ts'
import { createObject } from './create.ts'
import { deleteCollection } from './delete-collection.ts'
import { deleteObject } from './delete.ts'
import { getObject } from './get.ts'
import { listObjects } from './list.ts'
import { patchTypesOf } from './patch-body.ts'
import { patchObject } from './patch.ts'
import { handleBinding } from './subresources/binding.ts'
import { handleEviction } from './subresources/eviction.ts'
import { handleScale, SCALE_SHAPE } from './subresources/scale.ts'
import { handleTokenRequest } from './subresources/token.ts'
import { withJsonOptions } from './protobuf-body.ts'
import { unstoredHandlersOf } from './unstored/index.ts'
import type { UnstoredHandler } from './unstored/handler.ts'
import { updateObject } from './update.ts'
import { watchObjects } from './watch.ts'

type SubresourceHandler = (context: EndpointContext, resource: Resource, request: ApiRequest) => Promise<ApiResponse>

/** Subresources with a body of their own; all others read and write the object itself under rules of their own. */
const SUBRESOURCES: Readonly<Record<string, SubresourceHandler>> = {
  scale: handleScale,
  binding: handleBinding,
  eviction: handleEviction,
  token: handleTokenRequest,
}

export function createEndpoints(context: EndpointContext): Handler {
  const { kinds, features } = context.dependencies
  const mediaTypes = mediaTypesOf(features)
  const types = protobufTypesOf(kinds)
  const unstored = unstoredHandlersOf(kinds)
  const groups = new Set(kinds.map(({ group }) => group))
  return async (received) => {
    const request =
      received.method === 'DELETE' ? withJsonOptionsOfCbor(withJsonOptions(received, types), mediaTypes) : received
    const { info, query } = request
    if (!groups.has(info.group)) return pageNotFound()
    const kind = context.resources.kind(info.group, info.version, info.resource)
    if (kind === undefined) throw unknownResource()
    checkRoute(kind, request)
    const { form, mediaType } = negotiateAnswer(request, mediaTypes)
    const response = await answer(context, { kind, unstored: unstored.get(kind) }, request)
    if (mediaType === YAML_TYPE) refuseStream(response, mediaTypes)
    const shape = info.subresource === 'scale' ? SCALE_SHAPE : kind
    if (form === null) return response
    return transformForAccept(response, formOf(form, query), shape, context.clock.now())
  }
}

/** What else is wrong with a watch is said first. */
function refuseStream({ body }: ApiResponse, mediaTypes: readonly MediaType[]): void {
  if (body.form !== 'watch') return
  body.stream.close()
  throw noSuchForm(streamTypesOf(mediaTypes))
}

/** Throws 406 (or 415 for a patch of a type that there is not) before anything happens. */
function negotiateAnswer(request: ApiRequest, mediaTypes: readonly MediaType[]): Encoding {
  const { verb } = request.info
  const streams = streamTypesOf(mediaTypes)
  const isMany = verb === 'list' || verb === 'watch'
  checkRouteMedia(request, {
    produces: isMany ? [...mediaTypes, ...streams] : mediaTypes,
    ...(verb === 'patch' ? { consumes: patchTypesOf(mediaTypes) } : {}),
  })
  const encoding = negotiate(request.headers['accept'], mediaTypes, RESOURCE)
  if (encoding === null) throw noSuchForm(mediaTypes)
  return encoding
}

type Route = {
  readonly kind: KindDefinition
  /** Set for kinds that are not stored. */
  readonly unstored: UnstoredHandler | undefined
}

/** The body of a status is the kind itself; other subresources have kinds of their own. */
function tellDeprecation({ dependencies }: EndpointContext, kind: KindDefinition, request: ApiRequest): void {
  const { info, audit } = request
  if (info.subresource !== '' && info.subresource !== 'status') return
  request.warnings.add(kind.deprecation!)
  const removedRelease = /unavailable in v(\d+\.\d+)\+/.exec(kind.deprecation!)?.[1] ?? ''
  dependencies.metrics?.deprecatedApis.note(info, removedRelease)
  audit?.annotate('k8s.io/deprecated', 'true')
  if (removedRelease !== '') audit?.annotate('k8s.io/removed-release', removedRelease)
}

async function answer(context: EndpointContext, { kind, unstored }: Route, request: ApiRequest): Promise<ApiResponse> {
  const { info } = request
  if (kind.deprecation !== undefined) tellDeprecation(context, kind, request)
  if (info.subresource !== '') return answerSubresource(context, kind, request)
  if (info.verb === 'watch' && !kind.verbs.includes('watch')) throw methodNotSupported(kind, info.verb)
  if (unstored !== undefined) return unstored(context, kind, request)
  const resource = context.resources.get(info.group, info.version, info.resource)!
  switch (info.verb) {
    case 'get':
      return getObject(resource, request)
    case 'list':
      return listObjects(resource, request, context.dependencies.features)
    case 'watch':
      return watchObjects(context, resource, request)
    case 'create':
      return createObject(context, resource, request)
    case 'update':
      return updateObject(context, resource, request)
    case 'patch':
      return patchObject(context, resource, request)
    case 'delete':
      return deleteObject(context, resource, request)
    case 'deletecollection':
      return deleteCollection(context, resource, request)
    default:
      throw methodNotAllowed()
  }
}

/** A path that exists for other methods is 405, one that exists for none is 404. */
function checkRoute(kind: KindDefinition, request: ApiRequest): void {
  const { method, info } = request
  const { namespace, parts, verb, subresource } = info
  if (verb === 'watch') checkWatchRoute(kind, request)
  const isNamed = parts.length > 1
  if (kind.namespaced && namespace === '') {
    if (isNamed) throw unknownResource()
    if (!ACROSS_NAMESPACES.has(verb)) throw methodNotAllowed()
  }
  if (!kind.namespaced && namespace !== '' && kind.isNamespace !== true) throw unknownResource()
  if (parts.length > 3) throw unknownResource()
  if (subresource === '') {
    if (isNamed ? verb === 'create' : NEEDS_NAME.has(verb)) throw methodNotAllowed()
    if (!hasVerb(kind, verb)) throw methodNotAllowed()
  } else checkSubresource(kind, info)
  // Its verb is that of GET, but no route has the method.
  if (method === 'HEAD') throw methodNotAllowed()
}

/** The older paths of watches are routes of their own, for kinds that can be watched. */
function checkWatchRoute({ verbs }: KindDefinition, { method, path, info }: ApiRequest): void {
  const isOldPath = /^\/(api|apis\/[^/]+)\/[^/]+\/watch\//.test(path)
  if (info.parts.length > 2 || (isOldPath && !verbs.includes('watch'))) throw unknownResource()
  if (method !== 'GET') throw methodNotAllowed()
}

/** A list and a watch are the same route. */
const hasVerb = ({ verbs }: KindDefinition, verb: string): boolean =>
  verbs.includes(verb as never) || (verb === 'watch' && verbs.includes('list'))

function checkSubresource(kind: KindDefinition, { subresource, verb }: RequestInfo): void {
  const verbs = verbsOf(kind, subresource)
  if (verbs.length === 0) throw unknownResource()
  if (!verbs.includes(verb)) throw methodNotAllowed()
}

const ACROSS_NAMESPACES = new Set(['list', 'watch'])
const NEEDS_NAME = new Set(['update', 'patch'])

async function answerSubresource(
  context: EndpointContext,
  kind: KindDefinition,
  request: ApiRequest,
): Promise<ApiResponse> {
  const { info } = request
  const resource = context.resources.get(info.group, info.version, info.resource)
  if (resource === undefined) throw unknownResource()
  const handler = SUBRESOURCES[info.subresource]
  if (handler !== undefined) return handler(context, resource, request)
  switch (info.verb) {
    case 'get':
      return getObject(resource, request)
    case 'update':
      return updateObject(context, resource, request)
    case 'patch':
      return patchObject(context, resource, request)
    default:
      throw methodNotAllowed()
  }
}

function verbsOf(kind: KindDefinition, name: string): readonly string[] {
  if (name === 'status') return kind.hasStatus ? ['get', 'update', 'patch'] : []
  return kind.subresources.find((subresource) => subresource.name === name)?.verbs ?? []
}
