/** Where a scheduler says that it lives, and what it has done: /healthz, /livez and /readyz for all, /metrics for those who may. */
import { createServer, type Server, type ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { IncomingMessage } from 'node:http'
import type { TokenReview } from '#api/authentication/v1.gen.ts'
import type { SubjectAccessReview } from '#api/authorization/v1.gen.ts'
import { SUBJECTACCESSREVIEWS, TOKENREVIEWS } from '#api/resources.gen.ts'
import type { Client } from '#client/client.ts'
import type { SchedulerMetrics } from './metrics.ts'

export type ServingOptions = {
  readonly client: Client
  readonly metrics: SchedulerMetrics
  readonly isReady: () => boolean
  /** PEM texts; plain HTTP without. */
  readonly tls: { readonly certificate: string; readonly privateKey: string } | null
}

type Answer = { readonly code: number; readonly type: string; readonly body: string }

const text = (code: number, body: string): Answer => ({ code, type: 'text/plain; charset=utf-8', body })

export function createSchedulerServer(options: ServingOptions): Server {
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    answer(request, options)
      .catch((error: unknown) => text(500, `Internal Server Error: ${String(error)}\n`))
      .then(({ code, type, body }) => response.writeHead(code, { 'content-type': type }).end(body))
  }
  if (options.tls === null) return createServer(handle)
  const { certificate, privateKey } = options.tls
  return createSecureServer({ cert: certificate, key: privateKey, minVersion: 'TLSv1.3' }, handle)
}

async function answer(request: IncomingMessage, options: ServingOptions): Promise<Answer> {
  const { pathname } = new URL(request.url ?? '/', 'https://scheduler')
  if (pathname === '/healthz' || pathname === '/livez') return text(200, 'ok')
  if (pathname === '/readyz') return options.isReady() ? text(200, 'ok') : text(500, '[-]sched-handler-sync failed\n')
  const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1]
  const user = token === undefined ? ANONYMOUS : await reviewToken(options.client, token)
  if (user === null) return status(401, 'Unauthorized', 'Unauthorized')
  const verb = (request.method ?? 'GET').toLowerCase()
  if (!(await isAllowed(options.client, user, pathname, verb)))
    return status(
      403,
      'Forbidden',
      `forbidden: User ${JSON.stringify(user.username)} cannot ${verb} path ${JSON.stringify(pathname)}`,
    )
  if (pathname !== '/metrics') return text(404, '404 page not found\n')
  return { code: 200, type: options.metrics.registry.contentType, body: await options.metrics.registry.metrics() }
}

type User = NonNullable<NonNullable<TokenReview['status']>['user']>
const ANONYMOUS: User = { username: 'system:anonymous', groups: ['system:unauthenticated'] }

/** Null for a token that the API server does not know. */
async function reviewToken(client: Client, token: string): Promise<User | null> {
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token } }
  const review = await client.review<TokenReview>(TOKENREVIEWS, body)
  return review.status?.authenticated === true ? (review.status.user ?? null) : null
}

async function isAllowed(
  client: Client,
  { username, uid, groups }: User,
  path: string,
  verb: string,
): Promise<boolean> {
  const spec = { user: username, uid, groups, nonResourceAttributes: { path, verb } }
  const body = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', spec }
  const review = await client.review<SubjectAccessReview>(SUBJECTACCESSREVIEWS, body)
  return review.status?.allowed === true
}

function status(code: number, reason: string, message: string): Answer {
  const body = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code }
  return { code, type: 'application/json', body: `${JSON.stringify(body)}\n` }
}
