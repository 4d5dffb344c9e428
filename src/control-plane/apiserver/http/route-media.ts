/** What upstream's router checks of a route before its handler runs: the type of the body, then the types that the client accepts. */
import { StatusError } from '#machinery/status-error.ts'
import type { ApiRequest } from '../request.ts'
import { acceptsOneOf, consumesOneOf } from './accept-header.ts'
import { notAcceptable } from './negotiation.ts'

export type RouteMedia = {
  readonly produces: readonly string[]
  /** Missing: anything. */
  readonly consumes?: readonly string[]
}

/** Throws 415 or 406. */
export function checkRouteMedia({ method, headers, body }: ApiRequest, { produces, consumes }: RouteMedia): void {
  const contentType = body.form === 'none' ? headers['content-type'] : body.contentType
  if (consumes !== undefined && !consumesOneOf(contentType, consumes, method)) throw unroutable()
  if (!acceptsOneOf(headers['accept'], produces)) throw notAcceptable(produces)
}

/** No route takes bodies of such a type. */
export function unroutable(): StatusError {
  return new StatusError({
    code: 415,
    reason: 'UnsupportedMediaType',
    message: '415: Unsupported Media Type',
    details: {},
  })
}
