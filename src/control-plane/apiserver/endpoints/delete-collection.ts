/** DELETE of a collection: every selected object by itself, so that each keeps its finalizers and grace. */
import { isNotFound } from '#machinery/status-error.ts'
import type { Resource } from '../registry/resource.ts'
import type { ApiRequest, ApiResponse, StoredObject } from '../request.ts'
import { writeContext, type EndpointContext } from './context.ts'
import { readDeleteOptions } from './delete-options.ts'
import { checkListOptions, readListParameters } from './parameters.ts'
import { readSelection } from './selection.ts'
import { served } from './served.ts'
import { withShard } from './shard-selection.ts'

export async function deleteCollection(
  context: EndpointContext,
  resource: Resource,
  request: ApiRequest,
): Promise<ApiResponse> {
  const options = readDeleteOptions(request)
  const parameters = readListParameters(request)
  checkListOptions(parameters, false)
  const selected = readSelection(resource.kind, parameters.labelSelector, parameters.fieldSelector)
  const selection = withShard(selected, request, context.dependencies.features)
  const {
    items,
    resourceVersion,
    continue: token,
  } = await resource.cache.list({
    namespace: request.info.namespace,
    name: selection.name,
    matches: selection.matches,
    limit: parameters.limit,
    continue: parameters.continue,
    resourceVersion: parameters.resourceVersion,
    resourceVersionMatch: parameters.resourceVersionMatch,
  })
  const dryRun = (options.dryRun?.length ?? 0) > 0
  const remaining: StoredObject[] = []
  for (const item of items) {
    const place = { ...request, info: { ...request.info, namespace: item.namespace, name: item.name } }
    try {
      await context.deleter.delete(resource, options, writeContext(context, place, { dryRun, fieldManager: '' }))
    } catch (error) {
      if (!isNotFound(error)) throw error // Somebody else deleted it meanwhile.
    }
    remaining.push(served(resource, item))
  }
  const { shardInfo } = selection
  const metadata = {
    resourceVersion,
    ...(token === '' ? {} : { continue: token }),
    ...(shardInfo === null ? {} : { shardInfo }),
  }
  return {
    code: 200,
    body: {
      form: 'list',
      apiVersion: resource.apiVersion,
      kind: `${resource.kind.kind}List`,
      metadata,
      items: remaining,
    },
  }
}
