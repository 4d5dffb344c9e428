/** PUT of one object, or of its status. */
import { resetsManagedFields } from '#machinery/field-ownership/record-update.ts'
import { cloneDecoded } from '#machinery/schema/zero-values.ts'
import { badRequest, notFound } from '#machinery/status-error.ts'
import type { Resource } from '../registry/resource.ts'
import type { ApiRequest, ApiResponse } from '../request.ts'
import { answerOf } from './answer.ts'
import { recordDefaulted } from './audited-body.ts'
import { checkPlace } from './body.ts'
import { writeContext, type EndpointContext } from './context.ts'
import { dedupOwners } from './owner-references.ts'
import { readWriteParameters } from './parameters.ts'

export async function updateObject(
  context: EndpointContext,
  resource: Resource,
  request: ApiRequest,
): Promise<ApiResponse> {
  const parameters = readWriteParameters(request, 'UpdateOptions')
  const { kind } = resource
  const { info } = request
  const sent = context.decodeBody(request, kind, parameters.fieldValidation)
  const { metadata } = sent
  if (metadata.name && metadata.name !== info.name)
    throw badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${info.name})`)
  if (!metadata.name)
    throw badRequest(`the name of the object (${info.name} based on URL) was undeterminable: name must be provided`)
  const sentNamespace = sent.metadata.namespace
  checkPlace(sent, kind, request)
  kind.strategy.setDefaults?.(sent, context.clock.now(), context.dependencies.features)
  recordDefaulted(request, kind, sent, sentNamespace)
  dedupOwners(sent, (text) => request.warnings.add(text))
  const resetsOwners = resetsManagedFields(sent)
  const written = await context.writer.update(
    resource,
    (current) => {
      if (current === null && (kind.strategy.allowCreateOnUpdate !== true || info.subresource !== ''))
        throw notFound(resource.groupResource, info.name)
      return { object: cloneDecoded(sent), resetsOwners }
    },
    writeContext(context, request, parameters),
  )
  return answerOf(resource, written, written.created ? 201 : 200)
}
