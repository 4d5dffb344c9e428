/** DELETE of one object. */
import type { DeleteOptions } from '#machinery/meta/v1.gen.ts'
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
  const { kind } = resource
  const warning = kind.strategy.silentDeletionWarning
  if (warning !== undefined && isSilentAboutDependents(options)) request.warnings.add(warning)
  const parameters = { dryRun: (options.dryRun?.length ?? 0) > 0, fieldManager: '' }
  const deleted = await context.deleter.delete(resource, options, writeContext(context, request, parameters))
  if (deleted.removed && !kind.answersDeleted)
    return { code: 200, body: { form: 'object', object: successStatus(resource, deleted) } }
  // Only who asked by the old option for dependents to go first is told that it has not happened yet.
  return answerOf(resource, deleted, !deleted.removed && options.orphanDependents === false ? 202 : 200)
}

const isSilentAboutDependents = ({ propagationPolicy, orphanDependents }: DeleteOptions): boolean =>
  propagationPolicy === undefined && orphanDependents === undefined

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
