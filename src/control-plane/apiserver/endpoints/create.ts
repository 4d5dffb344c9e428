/** POST to a collection. */
import { resetsManagedFields } from '#machinery/field-ownership/record-update.ts'
import { badRequest } from '#machinery/status-error.ts'
import type { Resource } from '../registry/resource.ts'
import type { ApiRequest, ApiResponse } from '../request.ts'
import { answerOf } from './answer.ts'
import { recordDefaulted } from './audited-body.ts'
import { checkPlace } from './body.ts'
import { writeContext, type EndpointContext } from './context.ts'
import { dedupOwners } from './owner-references.ts'
import { readWriteParameters } from './parameters.ts'

export async function createObject(
  context: EndpointContext,
  resource: Resource,
  request: ApiRequest,
): Promise<ApiResponse> {
  const parameters = readWriteParameters(request, 'CreateOptions')
  const { kind } = resource
  const object = context.decodeBody(request, kind, parameters.fieldValidation)
  if (request.info.name !== '' && object.metadata.name !== request.info.name)
    throw badRequest(
      `the name of the object (${object.metadata.name}) does not match the name on the URL (${request.info.name})`,
    )
  const sentNamespace = object.metadata.namespace
  checkPlace(object, kind, request)
  kind.strategy.setDefaults?.(object, context.clock.now(), context.dependencies.features)
  recordDefaulted(request, kind, object, sentNamespace)
  dedupOwners(object, (text) => request.warnings.add(text))
  const wanted = { object, resetsOwners: resetsManagedFields(object) }
  const written = await context.writer.create(resource, wanted, writeContext(context, request, parameters))
  return answerOf(resource, written, 201)
}
