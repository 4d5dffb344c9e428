/** What a server that is about to end answers to requests that still come. */
import { StatusError } from '#machinery/status-error.ts'
import type { ApiRequest, ApiResponse } from '../request.ts'

/** `none`: all are served. `unavailable`: the port is closed, and old connections are told. `retry-after`: the port is open, and all are told. */
export type Refusal = 'none' | 'unavailable' | 'retry-after'

/** Those who look at the server itself are answered to the end. */
const EXEMPT_PATHS = ['/readyz', '/livez', '/healthz', '/metrics']
const OWN_USER_AGENT = 'kube-apiserver/'

/** Null for a request that is served all the same. */
export function shutdownAnswer(refusal: Refusal, { path, headers }: ApiRequest): ApiResponse | null {
  if (refusal === 'none' || EXEMPT_PATHS.some((prefix) => path.startsWith(prefix))) return null
  if (headers['user-agent']?.startsWith(OWN_USER_AGENT) === true) return null
  return refusal === 'retry-after' ? TRY_LATER : UNAVAILABLE
}

const TRY_LATER: ApiResponse = {
  code: 429,
  headers: { Connection: 'close', 'Retry-After': '5', 'X-Content-Type-Options': 'nosniff' },
  body: {
    form: 'raw',
    contentType: 'text/plain; charset=utf-8',
    content: 'The apiserver is shutting down, please try again later.\n',
  },
}

const UNAVAILABLE: ApiResponse = {
  code: 503,
  headers: { Connection: 'close', 'Retry-After': '1' },
  body: {
    form: 'object',
    object: new StatusError({
      code: 503,
      reason: 'ServiceUnavailable',
      message: 'apiserver is shutting down',
    }).toStatus(),
  },
}
