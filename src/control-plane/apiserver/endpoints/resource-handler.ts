/** Sends a request about resources to the verb that answers it. */
import type { KindDefinition } from '#api/kind.ts'
import { methodNotSupported, StatusError } from '#machinery/status-error.ts'
import { protobufTypesOf } from '../protobuf-types.ts'
import type { Resource } from '../registry/resource.ts'
import type { ApiRequest, ApiResponse, Handler, RequestInfo } from '../request.ts'
import { methodNotAllowed } from '../routes.ts'
import { negotiateForm, transformForAccept } from '../tables/transform.ts'
import type { EndpointContext } from './context.ts'
import { createObject } from './create.ts'
import { deleteCollection } from './delete-collection.ts'
import { deleteObject } from './delete.ts'
import { getObject } from './get.ts'
import { listObjects } from './list.ts'
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
  const types = protobufTypesOf(context.dependencies.kinds)
  const unstored = unstoredHandlersOf(context.dependencies.kinds)
  return async (received) => {
    const request = received.method === 'DELETE' ? withJsonOptions(received, types) : received
    const { info } = request
    const kind = context.resources.kind(info.group, info.version, info.resource)
    if (kind === undefined) throw unknownResource()
    const form = negotiateForm(request)
    const response = await answer(context, { kind, unstored: unstored.get(kind) }, request)
    const shape = info.subresource === 'scale' ? SCALE_SHAPE : kind
    return form === null ? response : transformForAccept(response, form, shape, context.clock.now())
  }
}

type Route = {
  readonly kind: KindDefinition
  /** Set for kinds that are not stored. */
  readonly unstored: UnstoredHandler | undefined
}

async function answer(context: EndpointContext, { kind, unstored }: Route, request: ApiRequest): Promise<ApiResponse> {
  const { info } = request
  checkRoute(kind, info)
  if (info.subresource !== '') return answerSubresource(context, kind, request)
  const isUnwatched = info.verb === 'watch' && kind.verbs.includes('list') && !kind.verbs.includes('watch')
  if (!isUnwatched && !kind.verbs.includes(info.verb)) throw methodNotAllowed()
  if (kind.deprecation !== undefined) request.warnings.add(kind.deprecation)
  if (isUnwatched) throw methodNotSupported(kind, info.verb)
  if (unstored !== undefined) return unstored(context, kind, request)
  const resource = context.resources.get(info.group, info.version, info.resource)!
  switch (info.verb) {
    case 'get':
      return getObject(resource, request)
    case 'list':
      return listObjects(resource, request)
    case 'watch':
      return watchObjects(resource, request, context.random)
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
function checkRoute(kind: KindDefinition, { namespace, parts, verb, subresource }: RequestInfo): void {
  const isNamed = parts.length > 1
  if (kind.namespaced && namespace === '') {
    if (isNamed) throw unknownResource()
    if (!ACROSS_NAMESPACES.has(verb)) throw methodNotAllowed()
  }
  if (!kind.namespaced && namespace !== '' && kind.isNamespace !== true) throw unknownResource()
  if (parts.length > 3) throw unknownResource()
  if (subresource === '' && (isNamed ? verb === 'create' : NEEDS_NAME.has(verb))) throw methodNotAllowed()
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
  const verbs = verbsOf(kind, info.subresource)
  if (verbs.length === 0) throw unknownResource()
  if (!verbs.includes(info.verb)) throw methodNotAllowed()
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

function unknownResource(): StatusError {
  return new StatusError({
    code: 404,
    reason: 'NotFound',
    message: 'the server could not find the requested resource',
    details: {},
  })
}
