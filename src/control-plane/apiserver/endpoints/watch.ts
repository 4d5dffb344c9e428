/** Watches a collection, or one object of it. */
import type { RandomSource } from '#base/random.ts'
import type { Resource } from '../registry/resource.ts'
import type { ApiRequest, ApiResponse } from '../request.ts'
import { checkListOptions, readListParameters, startsFromNow } from './parameters.ts'
import { readSelection } from './selection.ts'
import { servedStream } from './served.ts'

/** Upstream's --min-request-timeout: a watch lasts this long at least, twice at most, unless the client says. */
const WATCH_SECONDS_MIN = 1800

export async function watchObjects(
  resource: Resource,
  request: ApiRequest,
  random: RandomSource,
): Promise<ApiResponse> {
  const parameters = readListParameters(request)
  checkListOptions(parameters, true)
  const selection = readSelection(resource.kind, parameters.labelSelector, parameters.fieldSelector)
  const sendInitialEvents = startsFromNow(parameters) ? true : parameters.sendInitialEvents
  const seconds = parameters.timeoutSeconds > 0 ? parameters.timeoutSeconds : WATCH_SECONDS_MIN * (1 + random.next())
  const stream = await resource.cache.watch({
    namespace: request.info.namespace,
    name: request.info.name || selection.name,
    matches: selection.matches,
    ...(selection.indexedValue === undefined ? {} : { indexedValue: selection.indexedValue }),
    resourceVersion: parameters.resourceVersion,
    ...(sendInitialEvents === undefined ? {} : { sendInitialEvents }),
    allowBookmarks: parameters.allowWatchBookmarks,
    timeoutMs: seconds * 1000,
    signal: request.signal,
  })
  return { code: 200, body: { form: 'watch', stream: servedStream(resource, stream) } }
}
