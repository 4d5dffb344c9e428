/** Ends requests that take too long, except those that are meant to last. */
import type { Clock } from '#base/clock.ts'
import { durationProblem, parseDuration } from '#base/duration.ts'
import { badRequest, StatusError } from '#machinery/status-error.ts'
import { isLongRunning } from './request-info.ts'
import type { Stage } from './request.ts'

/** `longestMs` is --request-timeout; a `timeout` in the query may only shorten it. */
export function createTimeoutStage(clock: Clock, longestMs: number): Stage {
  return async (request, next) => {
    if (isLongRunning(request)) return next(request)
    const limitMs = Math.min(timeoutOf(request.query.get('timeout'), longestMs), longestMs)
    const controller = new AbortController()
    const signal = AbortSignal.any([request.signal, controller.signal])
    let timer: { cancel(): void } | undefined
    const expired = new Promise<never>((_resolve, reject) => {
      timer = clock.setTimer(limitMs, () => {
        controller.abort()
        reject(timedOut())
      })
    })
    try {
      return await Promise.race([next({ ...request, signal }), expired])
    } finally {
      timer?.cancel()
    }
  }
}

/** Milliseconds of a Go duration (`1m30s`); missing or 0 means the longest, a negative one has passed already. */
export function timeoutOf(text: string | null, longestMs: number): number {
  if (text === null || text === '') return longestMs
  const parsed = parseDuration(text)
  if (parsed === null) throw badRequest(`invalid timeout specified in the request URL - ${durationProblem(text)}`)
  return parsed === 0 ? longestMs : Math.max(0, parsed)
}

function timedOut(): StatusError {
  return new StatusError({
    code: 504,
    reason: 'Timeout',
    message: 'Timeout: request did not complete within the allotted timeout',
    details: {},
  })
}
