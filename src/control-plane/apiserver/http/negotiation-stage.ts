/** Refuses before anything happens when the client accepts no encoding that there is. */
import type { Stage } from '../request.ts'
import { MEDIA_TYPES, notAcceptable, parseAccept } from './negotiation.ts'

/** Their answers are text, or come from elsewhere. */
const OTHER_TYPES = new Set(['log', 'exec', 'attach', 'portforward', 'proxy'])
const KNOWN_TYPES: ReadonlySet<string> = new Set(['*/*', 'application/*', ...MEDIA_TYPES])

export const negotiationStage: Stage = (request, next) => {
  const { info, headers } = request
  if (!info.isResourceRequest || OTHER_TYPES.has(info.subresource)) return next(request)
  const clauses = parseAccept(headers['accept'])
  if (clauses.length > 0 && !clauses.some(({ type }) => KNOWN_TYPES.has(type))) throw notAcceptable(MEDIA_TYPES)
  return next(request)
}
