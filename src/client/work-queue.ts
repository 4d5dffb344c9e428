/** The queue of keys that a controller works on: each key waits at most once, later ones wait for timers, failures back off. */
import type { Clock, Timer } from '#base/clock.ts'

/** client-go's ItemExponentialFailureRateLimiter. */
const [BACKOFF_MS_MIN, BACKOFF_MS_MAX] = [5, 1_000_000]

type Delayed = { readonly atMs: number; readonly timer: Timer }

/** A key that is added while it is worked on is handed out again afterwards, never at the same time. */
export class WorkQueue {
  readonly #clock: Clock
  readonly #waiting = new Set<string>()
  readonly #working = new Set<string>()
  /** Added while worked on. */
  readonly #again = new Set<string>()
  readonly #delayed = new Map<string, Delayed>()
  readonly #failures = new Map<string, number>()
  readonly #takers: ((key: string | null) => void)[] = []
  #isClosed = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Keys that wait now, without those whose time has not come. */
  get size(): number {
    return this.#waiting.size
  }

  add(key: string): void {
    if (this.#isClosed) return
    if (this.#working.has(key)) {
      this.#again.add(key)
      return
    }
    const taker = this.#takers.shift()
    if (taker === undefined) {
      this.#waiting.add(key)
      return
    }
    this.#working.add(key)
    taker(key)
  }

  /** Of two delays for one key the shorter one holds. */
  addAfter(key: string, delayMs: number): void {
    if (this.#isClosed) return
    if (delayMs <= 0) return this.add(key)
    const atMs = this.#clock.monotonic() + delayMs
    const planned = this.#delayed.get(key)
    if (planned !== undefined) {
      if (planned.atMs <= atMs) return
      planned.timer.cancel()
    }
    const timer = this.#clock.setTimer(delayMs, () => {
      this.#delayed.delete(key)
      this.add(key)
    })
    this.#delayed.set(key, { atMs, timer })
  }

  /** Tries again after 5 ms, 10 ms, 20 ms, … 1000 s; `forget` starts over. */
  addRateLimited(key: string): void {
    const failures = this.#failures.get(key) ?? 0
    this.#failures.set(key, failures + 1)
    this.addAfter(key, Math.min(BACKOFF_MS_MAX, BACKOFF_MS_MIN * 2 ** failures))
  }

  forget(key: string): void {
    this.#failures.delete(key)
  }

  failures(key: string): number {
    return this.#failures.get(key) ?? 0
  }

  /** The next key to work on, or null when the queue is closed. Each taken key has to be given back with `done`. */
  take(): Promise<string | null> {
    if (this.#isClosed) return Promise.resolve(null)
    for (const key of this.#waiting) {
      this.#waiting.delete(key)
      this.#working.add(key)
      return Promise.resolve(key)
    }
    return new Promise((resolve) => {
      this.#takers.push(resolve)
    })
  }

  done(key: string): void {
    this.#working.delete(key)
    if (this.#again.delete(key)) this.add(key)
  }

  close(): void {
    this.#isClosed = true
    this.#waiting.clear()
    for (const { timer } of this.#delayed.values()) timer.cancel()
    this.#delayed.clear()
    for (const taker of this.#takers.splice(0)) taker(null)
  }
}
