/** Sends a request about resources to the verb that answers it. */
import type { KindDefinition } from '#api/kind.ts'
import { StatusError } from '#machinery/status-error.ts'
import type { Resource } from '../registry/resource.ts'
import type { ApiRequest, ApiResponse, Handler } from '../request.ts'
import { methodNotAllowed } from '../routes.ts'
import { transformForAccept } from '../tables/transform.ts'
import type { EndpointContext } from './context.ts'
import { createObject } from './create.ts'
import { createBodyConverter } from './protobuf-body.ts'
import { deleteCollection } from './delete-collection.ts'
import { deleteObject } from './delete.ts'
import { getObject } from './get.ts'
import { listObjects } from './list.ts'
import { patchObject } from './patch.ts'
import { handleReview } from './reviews.ts'
import { handleBinding } from './subresources/binding.ts'
import { handleEviction } from './subresources/eviction.ts'
import { handleScale } from './subresources/scale.ts'
import { handleTokenRequest } from './subresources/token.ts'
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
  const toJson = createBodyConverter(context.dependencies.kinds)
  return async (received) => {
    const request = toJson(received)
    const { info } = request
    const kind = context.resources.kind(info.group, info.version, info.resource)
    if (kind === undefined) throw unknownResource()
    if (kind.deprecation !== undefined) request.warnings.add(kind.deprecation)
    const response = await answer(context, kind, request)
    return transformForAccept(response, request, kind, context.clock.now())
  }
}

async function answer(context: EndpointContext, kind: KindDefinition, request: ApiRequest): Promise<ApiResponse> {
  const { info } = request
  if (kind.namespaced && info.namespace === '' && !['list', 'watch', 'deletecollection'].includes(info.verb))
    throw methodNotAllowed()
  if (info.subresource !== '') return answerSubresource(context, kind, request)
  if (!kind.verbs.includes(info.verb)) throw methodNotAllowed()
  if (!kind.stored) return answerUnstored(context, kind, request)
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

async function answerUnstored(
  context: EndpointContext,
  kind: KindDefinition,
  request: ApiRequest,
): Promise<ApiResponse> {
  if (kind.resource === 'bindings') return handleBinding(context, context.resources.get('', 'v1', 'pods')!, request)
  if (kind.resource === 'componentstatuses') throw methodNotAllowed()
  return handleReview(context, kind, request)
}

async function answerSubresource(
  context: EndpointContext,
  kind: KindDefinition,
  request: ApiRequest,
): Promise<ApiResponse> {
  const { info } = request
  const resource = context.resources.get(info.group, info.version, info.resource)
  if (resource === undefined) throw unknownResource()
  if (!verbsOf(kind, info.subresource).includes(info.verb))
    throw info.verb === 'get' && verbsOf(kind, info.subresource).length === 0 ? unknownResource() : methodNotAllowed()
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
