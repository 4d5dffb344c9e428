/** How long clients are told to stay away: longer the more of their requests were refused lately. */
import type { Clock } from '#base/clock.ts'

const SECONDS_MAX = 32

export class DroppedRequests {
  readonly #clock: Clock
  #second = 0
  #count = 0
  #history: { readonly second: number; readonly count: number }[] = []
  #retryAfter = 1
  #raisedAt = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Counts one more; the seconds for its Retry-After. */
  record(): number {
    const second = Math.floor(this.#clock.now() / 1000)
    if (second === this.#second) {
      this.#count++
      return this.#retryAfter
    }
    const keep = Math.min(2 * this.#retryAfter, SECONDS_MAX)
    this.#history.push({ second: this.#second, count: this.#count })
    this.#history = this.#history.filter((entry) => second - entry.second <= keep)
    this.#second = second
    this.#count = 1
    this.#adjust(second)
    return this.#retryAfter
  }

  /** Doubles when it did not help, and falls by one when hardly anything was refused: as TCP does. */
  #adjust(now: number): void {
    const after = this.#retryAfter
    const dropped = this.#history
      .filter(({ second }) => now - second <= after && second < now)
      .reduce((sum, { count }) => sum + count, 0)
    if (now - this.#raisedAt >= after && dropped >= 3 * after) {
      this.#retryAfter = Math.min(2 * after, SECONDS_MAX)
      this.#raisedAt = now
    } else if (dropped < after && after > 1) this.#retryAfter--
  }
}
