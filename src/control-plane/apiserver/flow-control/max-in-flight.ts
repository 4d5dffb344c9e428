/** Refuses requests beyond what the server can work on at once; long ones (watches, logs, exec) are not counted. */
import { tooManyRequests } from '../plain-refusal.ts'
import { isLongRunning } from '../request-info.ts'
import type { Stage } from '../request.ts'

export type InFlightLimits = {
  /** Upstream's defaults are 400 and 200. */
  readonly readOnly: number
  readonly mutating: number
}

export const DEFAULT_LIMITS: InFlightLimits = { readOnly: 400, mutating: 200 }

const RETRY_AFTER_SECONDS = 1
const READ_VERBS = new Set(['get', 'list', 'watch'])

export function createMaxInFlightStage(
  limits: InFlightLimits,
  observe: (kind: 'readOnly' | 'mutating', running: number) => void,
): Stage {
  const running = { readOnly: 0, mutating: 0 }
  return async (request, next) => {
    // The chain must stay reachable for those who repair an overloaded cluster.
    if (isLongRunning(request) || request.user.groups.includes('system:masters')) return next(request)
    const kind = READ_VERBS.has(request.info.verb) ? 'readOnly' : 'mutating'
    if (running[kind] >= limits[kind]) throw tooManyRequests(RETRY_AFTER_SECONDS)
    observe(kind, ++running[kind])
    try {
      return await next(request)
    } finally {
      observe(kind, --running[kind])
    }
  }
}
