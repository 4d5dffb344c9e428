/** Serves `…/proxy` of pods, services and nodes, and the streams of pods. */
import type { KindDefinition } from '#api/kind.ts'
import type { ApiRequest, ApiResponse, Handler } from '../request.ts'
import { BackendUnreachableError, sendToBackend, tunnel } from './backend.ts'
import { answeredHeaders, forwardedHeaders, upgradeHeaders } from './forward-headers.ts'
import { PodStreams } from './pod-streams.ts'
import { findProxyTarget, unavailable, type ProxyTargetOptions } from './proxy-target.ts'

/** Subresources that lead out of the API server, to a kubelet or to what listens behind an object. */
const PROXIED = new Set(['proxy', 'log', 'exec', 'attach', 'portforward'])

/** True for requests about one object that leave this server. */
export function proxyMatcher(kinds: readonly KindDefinition[]): (request: Pick<ApiRequest, 'info'>) => boolean {
  const nameOf = (group: string, version: string, resource: string, subresource: string): string =>
    [group, version, resource, subresource].join('/')
  const proxied = new Set(
    kinds.flatMap(({ group, version, resource, subresources }) =>
      subresources.filter(({ name }) => PROXIED.has(name)).map(({ name }) => nameOf(group, version, resource, name)),
    ),
  )
  return ({ info }) =>
    info.isResourceRequest &&
    info.name !== '' &&
    proxied.has(nameOf(info.group, info.version, info.resource, info.subresource))
}

export function createProxyHandler(options: ProxyTargetOptions): Handler {
  const streams = new PodStreams(options)
  return (request) => (request.info.subresource === 'proxy' ? forward(request, options) : streams.handle(request))
}

async function forward(request: ApiRequest, options: ProxyTargetOptions): Promise<ApiResponse> {
  const { info, method, connection, query } = request
  const endpoint = await findProxyTarget(info.resource, info.namespace, info.name, options)
  const prefix = prefixOf(request)
  const rest = request.path.slice(prefix.length)
  const search = query.size === 0 ? '' : `?${query}`
  // `…/proxy` without a slash would make the relative links of a page wrong.
  if (rest === '' && method === 'GET' && connection?.upgrade !== true) return redirect(`${prefix}/${search}`)
  const target = `${encodeURI(rest === '' ? '/' : rest)}${search}`
  const rawHeaders = connection?.rawHeaders ?? []
  if (connection?.upgrade === true) {
    const upgrade = { endpoint, method, target, headers: upgradeHeaders(rawHeaders) }
    return { code: 101, body: { form: 'upgrade', accept: (raw) => void tunnel(raw, upgrade) } }
  }
  const answer = await sendToBackend({
    endpoint,
    method,
    target,
    headers: forwardedHeaders(rawHeaders, request.remoteAddress),
    body: method === 'GET' || method === 'HEAD' ? null : (connection?.bodyStream() ?? null),
    signal: request.signal,
  }).catch((error: unknown) => {
    throw error instanceof BackendUnreachableError
      ? unavailable(`error trying to reach service: ${error.reason}`)
      : error
  })
  const headers = answeredHeaders(answer.headers)
  const location = headers['location']
  if (location?.startsWith('/') && !location.startsWith('//')) headers['location'] = `${prefix}${location}`
  return { code: answer.statusCode ?? 502, headers, body: { form: 'raw', contentType: '', content: answer } }
}

/** The path up to `/proxy`: what follows belongs to the backend. */
function prefixOf({ path, info }: ApiRequest): string {
  const segments =
    info.namespace === '' ? '/api/v1/nodes/NAME/proxy' : '/api/v1/namespaces/NAMESPACE/RESOURCE/NAME/proxy'
  return path.split('/').slice(0, segments.split('/').length).join('/')
}

const redirect = (location: string): ApiResponse => ({
  code: 301,
  headers: { Location: location },
  body: { form: 'raw', contentType: '', content: '' },
})
