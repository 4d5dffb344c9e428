/** Ends a call that takes too long, even one that does not look at its signal. */
import type { Clock } from '#base/clock.ts'

export class TimeLimitError extends Error {
  constructor(limitMs: number) {
    super(`no answer within ${limitMs} ms`)
    this.name = 'TimeLimitError'
  }
}

/** Rejects with TimeLimitError after `limitMs`, or with the signal's reason; the call's own signal aborts in both cases. */
export async function callWithTimeLimit<T>(
  clock: Clock,
  limitMs: number,
  signal: AbortSignal,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted()
  const limit = new AbortController()
  const { promise: ended, reject } = Promise.withResolvers<never>()
  const end = (reason: unknown): void => {
    limit.abort(reason)
    reject(reason)
  }
  const onAbort = (): void => end(signal.reason)
  const timer = clock.setTimer(limitMs, () => end(new TimeLimitError(limitMs)))
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([call(limit.signal), ended])
  } finally {
    timer.cancel()
    signal.removeEventListener('abort', onAbort)
  }
}
