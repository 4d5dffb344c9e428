/** GET of one object. */
import { notFound } from '#machinery/status-error.ts'
import type { Resource } from '../registry/resource.ts'
import type { ApiRequest, ApiResponse } from '../request.ts'
import { servedObject } from './served.ts'

export async function getObject(resource: Resource, { info, query }: ApiRequest): Promise<ApiResponse> {
  const stored = await resource.cache.get(resource.keyOf(info.namespace, info.name), query.get('resourceVersion') ?? '')
  if (stored === null) throw notFound(resource.groupResource, info.name)
  return { code: 200, body: servedObject(resource, stored) }
}
