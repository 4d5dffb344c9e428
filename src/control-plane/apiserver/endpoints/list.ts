/** GET of a collection: selected objects by the rules of resourceVersion, in pages. */
import type { Resource } from '../registry/resource.ts'
import type { ApiRequest, ApiResponse } from '../request.ts'
import { checkListOptions, readListParameters } from './parameters.ts'
import { checkSelectedName, readSelection } from './selection.ts'
import { served } from './served.ts'

export async function listObjects(resource: Resource, request: ApiRequest): Promise<ApiResponse> {
  const parameters = readListParameters(request)
  checkListOptions(parameters, false)
  const selection = readSelection(resource.kind, parameters.labelSelector, parameters.fieldSelector)
  checkSelectedName(request, parameters.fieldSelector, selection)
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
