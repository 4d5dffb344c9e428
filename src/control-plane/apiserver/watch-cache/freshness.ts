/** How far a cache has come behind the store, and who waits for it to come further. */
import type { Clock } from '#base/clock.ts'
import { tooLargeResourceVersion } from './errors.ts'

/** Upstream's limit for a request that asks for a revision the cache has not seen. */
const WAIT_MS_MAX = 3000
/** How often the store is asked again while a revision is still in its future. */
const ASK_PERIOD_MS = 100

export class Freshness {
  readonly #clock: Clock
  readonly #requestProgress: () => void
  #revision = 0
  #isReady = false
  #advanced = Promise.withResolvers<void>()
  #readiness = Promise.withResolvers<void>()
  #waiting = 0

  constructor(clock: Clock, requestProgress: () => void) {
    this.#clock = clock
    this.#requestProgress = requestProgress
  }

  get revision(): number {
    return this.#revision
  }

  setReady(isReady: boolean): void {
    this.#isReady = isReady
    if (!isReady) return
    this.#readiness.resolve()
    this.#readiness = Promise.withResolvers()
  }

  /** False when it does not become ready in time. */
  async awaitReady(): Promise<boolean> {
    const deadline = this.#clock.monotonic() + WAIT_MS_MAX
    while (!this.#isReady) {
      const left = deadline - this.#clock.monotonic()
      if (left <= 0) return false
      await this.#within(left, this.#readiness.promise)
    }
    return true
  }

  reset(revision: number): void {
    this.#revision = revision
  }

  advance(revision: number): void {
    this.#revision = Math.max(this.#revision, revision)
    if (this.#waiting === 0) return
    this.#advanced.resolve()
    this.#advanced = Promise.withResolvers()
  }

  async wait(revision: number): Promise<void> {
    if (this.#revision >= revision) return
    const deadline = this.#clock.monotonic() + WAIT_MS_MAX
    this.#waiting++
    try {
      while (this.#revision < revision) {
        if (this.#clock.monotonic() >= deadline) throw tooLargeResourceVersion(revision, this.#revision)
        this.#requestProgress()
        await this.#awaitAdvance(revision, this.#clock.monotonic() + ASK_PERIOD_MS)
      }
    } finally {
      this.#waiting--
    }
  }

  /** An answer that has not come far enough does not lead to the next question before its time. */
  async #awaitAdvance(revision: number, until: number): Promise<void> {
    while (this.#revision < revision && this.#clock.monotonic() < until) {
      await this.#within(until - this.#clock.monotonic(), this.#advanced.promise)
    }
  }

  /** Resolves with `promise`, or after `delayMs`. */
  async #within(delayMs: number, promise: Promise<void>): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<void>()
    const timer = this.#clock.setTimer(delayMs, resolve)
    await Promise.race([promise, late])
    timer.cancel()
  }
}
