/** Ends work that takes too long, on the injected clock. */
import type { Clock } from '#base/clock.ts'

export class DeadlineError extends Error {}

/** `work` gets a signal that aborts at the deadline or with `signal`. Rejects at the deadline even if the work does not heed it. */
export async function withDeadline<T>(
  clock: Clock,
  options: { readonly ms: number; readonly signal: AbortSignal; readonly message: string },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  options.signal.throwIfAborted()
  const controller = new AbortController()
  let timer: { cancel(): void } | undefined
  let onAbort: (() => void) | undefined
  const cut = new Promise<never>((_, reject) => {
    const end = (reason: unknown): void => {
      controller.abort(reason)
      reject(reason)
    }
    timer = clock.setTimer(options.ms, () => end(new DeadlineError(options.message)))
    onAbort = () => end(options.signal.reason)
    options.signal.addEventListener('abort', onAbort, { once: true })
  })
  try {
    const running = work(controller.signal)
    running.catch(() => {}) // After the deadline nobody waits for it any more.
    return await Promise.race([running, cut])
  } finally {
    timer?.cancel()
    if (onAbort) options.signal.removeEventListener('abort', onAbort)
  }
}
