/** DELETE of one object. */
import type { Deleted } from '../registry/object-deleter.ts'
import type { Resource } from '../registry/resource.ts'
import type { ApiRequest, ApiResponse } from '../request.ts'
import { answerOf } from './answer.ts'
import { writeContext, type EndpointContext } from './context.ts'
import { readDeleteOptions } from './delete-options.ts'

export async function deleteObject(
  context: EndpointContext,
  resource: Resource,
  request: ApiRequest,
): Promise<ApiResponse> {
  const options = readDeleteOptions(request)
  const parameters = { dryRun: (options.dryRun?.length ?? 0) > 0, fieldManager: '' }
  const deleted = await context.deleter.delete(resource, options, writeContext(context, request, parameters))
  if (deleted.removed) return { code: 200, body: { form: 'object', object: successStatus(resource, deleted) } }
  // Only who asked for dependents to go first is told that it has not happened yet.
  const isAccepted = options.propagationPolicy === 'Foreground' || options.orphanDependents === false
  return answerOf(resource, deleted, isAccepted ? 202 : 200)
}

function successStatus(resource: Resource, { object }: Deleted): unknown {
  const { group, resource: plural } = resource.groupResource
  const details = {
    name: object.metadata.name,
    ...(group === '' ? {} : { group }),
    kind: plural,
    uid: object.metadata.uid,
  }
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details }
}
