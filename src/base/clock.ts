/** Time as everything in the cluster sees it: injected, so that a test or a simulation can run hours in seconds. */

/** A pending timer; cancelling twice, or after it fired, does nothing. */
export interface Timer {
  cancel(): void
}

export interface Clock {
  /** Wall time in milliseconds since the epoch. */
  now(): number
  /** Milliseconds that only grow, for durations; the origin is arbitrary. */
  monotonic(): number
  /** Calls `callback` once after `delayMs` (0 or more). */
  setTimer(delayMs: number, callback: () => void): Timer
  /** Resolves after `delayMs`; rejects with the signal's reason when aborted first. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>
  /** Lets other work run: long synchronous work is cut into slices with it. */
  yield(): Promise<void>
}

export class SystemClock implements Clock {
  readonly #keepsProcessAlive: boolean
  /** In a server a timer does not keep the process alive by itself; a command that only waits says `keepsProcessAlive`. */
  constructor(options: { readonly keepsProcessAlive?: boolean } = {}) {
    this.#keepsProcessAlive = options.keepsProcessAlive ?? false
  }
  now(): number {
    return Date.now()
  }
  monotonic(): number {
    return performance.now()
  }
  setTimer(delayMs: number, callback: () => void): Timer {
    const handle = setTimeout(callback, delayMs)
    if (!this.#keepsProcessAlive) handle.unref()
    return { cancel: () => clearTimeout(handle) }
  }
  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return sleepWith(this, delayMs, signal)
  }
  yield(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve))
  }
}

/** The sleep of every clock, made of its timer. */
export function sleepWith(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const onAbort = (): void => {
      timer.cancel()
      reject(signal!.reason)
    }
    const timer = clock.setTimer(delayMs, () => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    })
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
