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
  if (kind.group === 'batch' && kind.resource === 'jobs' && isSilentAboutDependents(options))
    request.warnings.add(JOB_WARNING)
  const parameters = { dryRun: (options.dryRun?.length ?? 0) > 0, fieldManager: '' }
  const deleted = await context.deleter.delete(resource, options, writeContext(context, request, parameters))
  const { group, resource: plural } = kind
  if (deleted.removed && !RETURNED.has(group === '' ? plural : `${plural}.${group}`))
    return { code: 200, body: { form: 'object', object: successStatus(resource, deleted) } }
  // Only who asked by the old option for dependents to go first is told that it has not happened yet.
  return answerOf(resource, deleted, !deleted.removed && options.orphanDependents === false ? 202 : 200)
}

const JOB_WARNING =
  'child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning'

const isSilentAboutDependents = ({ propagationPolicy, orphanDependents }: DeleteOptions): boolean =>
  propagationPolicy === undefined && orphanDependents === undefined

/** Resources whose deletion answers with what was deleted, in place of a Status. */
const RETURNED = new Set([
  'persistentvolumeclaims',
  'persistentvolumes',
  'pods',
  'podtemplates',
  'resourcequotas',
  'serviceaccounts',
  'services',
  'csidrivers.storage.k8s.io',
  'csinodes.storage.k8s.io',
  'storageclasses.storage.k8s.io',
  'volumeattachments.storage.k8s.io',
  'volumeattributesclasses.storage.k8s.io',
  'deviceclasses.resource.k8s.io',
  'resourceclaims.resource.k8s.io',
  'resourceclaimtemplates.resource.k8s.io',
  'resourceslices.resource.k8s.io',
])

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
