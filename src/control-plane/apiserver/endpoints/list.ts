/** GET of a collection: selected objects by the rules of resourceVersion, in pages. */
import type { FeatureGates } from '#base/feature-gates.ts'
import type { Resource } from '../registry/resource.ts'
import type { ApiRequest, ApiResponse } from '../request.ts'
import { checkListOptions, readListParameters } from './parameters.ts'
import { checkSelectedName, readSelection } from './selection.ts'
import { served } from './served.ts'
import { withShard } from './shard-selection.ts'

export async function listObjects(
  resource: Resource,
  request: ApiRequest,
  features: FeatureGates,
): Promise<ApiResponse> {
  const parameters = readListParameters(request)
  checkListOptions(parameters, false)
  const selected = readSelection(resource.kind, parameters.labelSelector, parameters.fieldSelector)
  checkSelectedName(request, parameters.fieldSelector, selected)
  const selection = withShard(selected, request, features)
  const {
    items,
    resourceVersion,
    continue: token,
    remainingItemCount,
  } = await resource.cache.list({
    namespace: request.info.namespace,
    name: request.info.name || selection.name,
    matches: selection.matches,
    limit: parameters.limit,
    continue: parameters.continue,
    resourceVersion: parameters.resourceVersion,
    resourceVersionMatch: parameters.resourceVersionMatch,
  })
  const metadata = {
    resourceVersion,
    ...(token === '' ? {} : { continue: token }),
    ...(remainingItemCount === undefined ? {} : { remainingItemCount }),
    ...(selection.shardInfo === null ? {} : { shardInfo: selection.shardInfo }),
  }
  return {
    code: 200,
    body: {
      form: 'list',
      apiVersion: resource.apiVersion,
      kind: `${resource.kind.kind}List`,
      metadata,
      items: items.map((item) => served(resource, item)),
    },
  }
}
