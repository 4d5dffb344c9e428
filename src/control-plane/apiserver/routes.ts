/** Which part of the server answers which path. */
import type { KindDefinition } from '#api/kind.ts'
import { StatusError } from '#machinery/status-error.ts'
import { openIdConfiguration, toJsonWebKeySet, type KeySet } from './authentication/service-account-keys.ts'
import { text, type HealthChecks, type HealthGroup } from './health/health-checks.ts'
import { notAcceptable, parseAccept } from './http/negotiation.ts'
import type { ApiServerMetrics } from './metrics/metrics.ts'
import { proxyMatcher } from './proxy/proxy-handler.ts'
import type { ApiRequest, ApiResponse, Handler } from './request.ts'
import { VERSION } from './version.ts'

/** A part that answers a set of paths of its own. */
export type PathHandler = Handler & { matches(path: string): boolean }

export type Routes = {
  readonly kinds: readonly KindDefinition[]
  readonly resources: Handler
  readonly proxy: Handler
  /** Discovery, OpenAPI. */
  readonly pathHandlers: readonly PathHandler[]
  readonly health: HealthChecks
  readonly metrics: ApiServerMetrics
  readonly serviceAccountKeys: KeySet
  readonly issuer: string
  /** Where other parties find the keys. */
  readonly jwksUri: string
  /** Paths of the resource groups, for the listing at `/`. */
  readonly groupPaths: readonly string[]
}

const HEALTH_PATH = /^\/(livez|readyz|healthz)(?:\/(.*))?$/

export function createRoutes(routes: Routes): Handler {
  const fixed = fixedPaths(routes)
  const isProxyRequest = proxyMatcher(routes.kinds)
  const paths = [...routes.groupPaths, ...fixed.keys(), ...routes.health.paths()]
    .filter((path) => path !== '/')
    .toSorted()
  fixed.set('/', async () => json({ paths }))
  return async (request) => {
    const { path, info } = request
    const owner = routes.pathHandlers.find((handler) => handler.matches(path))
    if (owner !== undefined) {
      if (request.method !== 'GET') throw methodNotAllowed()
      return owner(request)
    }
    if (info.isResourceRequest) return isProxyRequest(request) ? routes.proxy(request) : routes.resources(request)
    const health = HEALTH_PATH.exec(path)
    if (health !== null)
      return (await routes.health.answer(health[1] as HealthGroup, health[2] ?? '', request)) ?? pageNotFound()
    const handler = fixed.get(path)
    return handler === undefined ? pageNotFound() : handler(request)
  }
}

function fixedPaths(routes: Routes): Map<string, Handler> {
  const { serviceAccountKeys, issuer, jwksUri, metrics } = routes
  return new Map<string, Handler>([
    ['/version', async (request) => onlyGet(request, () => json(VERSION))],
    [
      '/metrics',
      async () => ({
        code: 200,
        body: { form: 'raw', contentType: metrics.registry.contentType, content: await metrics.registry.metrics() },
      }),
    ],
    ['/openid/v1/jwks', async () => raw('application/jwk-set+json', toJsonWebKeySet(serviceAccountKeys))],
    [
      '/.well-known/openid-configuration',
      async () => raw('application/json', openIdConfiguration(issuer, jwksUri, serviceAccountKeys)),
    ],
  ])
}

/** Paths that only speak JSON and only answer GET. */
function onlyGet(request: ApiRequest, answer: () => ApiResponse): ApiResponse {
  if (request.method !== 'GET') throw methodNotAllowed()
  const clauses = parseAccept(request.headers['accept'])
  if (clauses.length > 0 && !clauses.some(({ type }) => ['application/json', 'application/*', '*/*'].includes(type)))
    throw notAcceptable(['application/json'])
  return answer()
}

export function methodNotAllowed(): StatusError {
  return new StatusError({
    code: 405,
    reason: 'MethodNotAllowed',
    message: 'the server does not allow this method on the requested resource',
    details: {},
  })
}

const json = (object: unknown): ApiResponse => ({ code: 200, body: { form: 'object', object } })

const raw = (contentType: string, object: unknown): ApiResponse => ({
  code: 200,
  headers: { 'Cache-Control': 'public, max-age=3600' },
  body: { form: 'raw', contentType, content: JSON.stringify(object) },
})

/** The answer of Go's router for a path that nobody serves. */
export const pageNotFound = (): ApiResponse => text(404, '404 page not found\n')
