/** Which part of the server answers which path. */
import type { KindDefinition } from '#api/kind.ts'
import { StatusError } from '#machinery/status-error.ts'
import { openIdConfiguration, toJsonWebKeySet, type KeySet } from './authentication/service-account-keys.ts'
import { text, type HealthChecks, type HealthGroup } from './health/health-checks.ts'
import { JSON_TYPE } from './http/negotiation.ts'
import { checkRouteMedia, type RouteMedia } from './http/route-media.ts'
import { proxyMatcher } from './proxy/proxy-handler.ts'
import type { ApiResponse, Handler } from './request.ts'
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
  /** Metrics and other pages, by their paths. */
  readonly pages: ReadonlyMap<string, Handler>
  readonly serviceAccountKeys: KeySet
  readonly issuer: string
  /** Where other parties find the keys. */
  readonly jwksUri: string
  /** Paths of the resource groups, for the listing at `/`. */
  readonly groupPaths: readonly string[]
}

/** What upstream serves as REST services answers with slashes at its end too; all else is exactly what it is called. */
const SERVICES = /^(\/version|\/openid\/v1\/jwks|\/\.well-known\/openid-configuration)\/+$/

const HEALTH_PATH = /^\/(livez|readyz|healthz)(?:\/(.+))?$/

export function createRoutes(routes: Routes): Handler {
  const fixed = fixedPaths(routes)
  const isProxyRequest = proxyMatcher(routes.kinds)
  const groups = new Set(routes.kinds.map(({ group }) => group))
  /** Below a group that is served, its own router says what there is not. */
  const hasGroup = (path: string): boolean => {
    const [, prefix, group = ''] = path.split('/')
    return prefix === 'api' || (prefix === 'apis' && group !== '' && groups.has(group))
  }
  const paths = [...routes.groupPaths, ...fixed.keys(), ...routes.health.paths()]
    .filter((path) => path !== '/')
    .toSorted()
  fixed.set('/', async () => indented({ paths }))
  return async (request) => {
    const { path, info } = request
    const owner = routes.pathHandlers.find((handler) => handler.matches(path))
    if (owner !== undefined) return owner(request)
    if (info.isResourceRequest) return isProxyRequest(request) ? routes.proxy(request) : routes.resources(request)
    const health = HEALTH_PATH.exec(path)
    if (health !== null)
      return (await routes.health.answer(health[1] as HealthGroup, health[2] ?? '', request)) ?? pageNotFound()
    const handler = fixed.get(SERVICES.exec(path)?.[1] ?? path)
    if (handler !== undefined) return handler(request)
    if (hasGroup(path)) throw unknownResource()
    return pageNotFound()
  }
}

function fixedPaths(routes: Routes): Map<string, Handler> {
  const { serviceAccountKeys, issuer, jwksUri, pages } = routes
  return new Map<string, Handler>([
    ['/version', onlyGet({ produces: [JSON_TYPE], consumes: [JSON_TYPE] }, () => indented(VERSION))],
    ...pages,
    ['/openid/v1/jwks', onlyGet({ produces: [JWKS_TYPE] }, () => raw(JWKS_TYPE, toJsonWebKeySet(serviceAccountKeys)))],
    [
      '/.well-known/openid-configuration',
      onlyGet({ produces: [JSON_TYPE] }, () =>
        raw(JSON_TYPE, openIdConfiguration(issuer, jwksUri, serviceAccountKeys)),
      ),
    ],
  ])
}

const JWKS_TYPE = 'application/jwk-set+json'

/** A path of upstream's router, with its refusals. */
const onlyGet =
  (media: RouteMedia, answer: () => ApiResponse): Handler =>
  async (request) => {
    if (request.method !== 'GET') throw methodNotAllowed()
    checkRouteMedia(request, media)
    return answer()
  }

export function unknownResource(): StatusError {
  return new StatusError({
    code: 404,
    reason: 'NotFound',
    message: 'the server could not find the requested resource',
    details: {},
  })
}

export function methodNotAllowed(): StatusError {
  return new StatusError({
    code: 405,
    reason: 'MethodNotAllowed',
    message: 'the server does not allow this method on the requested resource',
    details: {},
  })
}

/** Written for people to read. */
const indented = (object: unknown): ApiResponse => ({
  code: 200,
  body: { form: 'raw', contentType: JSON_TYPE, content: JSON.stringify(object, null, 2) },
})

const raw = (contentType: string, object: unknown): ApiResponse => ({
  code: 200,
  headers: { 'Cache-Control': 'public, max-age=3600' },
  body: { form: 'raw', contentType, content: JSON.stringify(object) },
})

/** The answer of Go's router for a path that nobody serves. */
export const pageNotFound = (): ApiResponse => text(404, '404 page not found\n')
