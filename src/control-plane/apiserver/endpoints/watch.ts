/** Watches a collection, or one object of it. */
import type { Resource } from '../registry/resource.ts'
import type { ApiRequest, ApiResponse } from '../request.ts'
import type { EndpointContext } from './context.ts'
import { checkListOptions, readListParameters, startsFromNow } from './parameters.ts'
import { checkSelectedName, readSelection } from './selection.ts'
import { servedStream } from './served.ts'
import { withShard } from './shard-selection.ts'

/** A watch whose client names no time lasts --min-request-timeout at least, twice that at most. */
export async function watchObjects(
  { random, dependencies }: EndpointContext,
  resource: Resource,
  request: ApiRequest,
): Promise<ApiResponse> {
  const parameters = readListParameters(request)
  checkListOptions(parameters, true)
  const selected = readSelection(resource.kind, parameters.labelSelector, parameters.fieldSelector)
  checkSelectedName(request, parameters.fieldSelector, selected)
  const selection = withShard(selected, request, dependencies.features)
  const sendInitialEvents = startsFromNow(parameters) ? true : parameters.sendInitialEvents
  const shortest = dependencies.settings.watchSecondsMin
  const seconds = parameters.timeoutSeconds > 0 ? parameters.timeoutSeconds : shortest * (1 + random.next())
  const stream = await resource.cache.watch({
    // The path of one namespace names it twice.
    namespace: resource.kind.namespaced ? request.info.namespace : '',
    name: request.info.name || selection.name,
    matches: selection.matches,
    ...(selection.indexedValue === undefined ? {} : { indexedValue: selection.indexedValue }),
    resourceVersion: parameters.resourceVersion,
    ...(sendInitialEvents === undefined ? {} : { sendInitialEvents }),
    allowBookmarks: parameters.allowWatchBookmarks,
    timeoutMs: seconds * 1000,
    signal: request.signal,
  })
  const isWatchList = sendInitialEvents === true && parameters.allowWatchBookmarks
  return { code: 200, body: { form: 'watch', stream: servedStream(resource, stream), isWatchList } }
}
