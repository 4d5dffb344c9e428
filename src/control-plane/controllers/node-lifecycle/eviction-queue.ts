/** The nodes of one zone that wait for their NoExecute taint: first come, first served, and no faster than the zone's rate. */
import type { Clock } from '#base/clock.ts'

export class EvictionQueue {
  readonly #clock: Clock
  readonly #waiting = new Set<string>()
  #perSecond: number
  #nextAtMs: number

  constructor(clock: Clock, perSecond: number) {
    this.#clock = clock
    this.#perSecond = perSecond
    this.#nextAtMs = perSecond > 0 ? clock.monotonic() : Infinity
  }

  /** A node that waits already keeps its place. */
  add(node: string): void {
    this.#waiting.add(node)
  }

  remove(node: string): void {
    this.#waiting.delete(node)
  }

  /** The node whose turn it is; it stays first until it is taken. */
  first(): string | null {
    return this.#waiting.values().next().value ?? null
  }

  /** How long the first has to wait still: Infinity while the zone's evictions are stopped. */
  waitMs(): number {
    return Math.max(0, this.#nextAtMs - this.#clock.monotonic())
  }

  /** Lets the others go first. */
  postpone(node: string): void {
    if (this.#waiting.delete(node)) this.#waiting.add(node)
  }

  /** Takes the node out, which uses up the zone's turn. */
  take(node: string): void {
    this.#waiting.delete(node)
    this.#nextAtMs = this.#clock.monotonic() + 1000 / this.#perSecond
  }

  /** Whoever had to wait for a turn waits for a whole one of the new rate. */
  setRate(perSecond: number): void {
    if (perSecond === this.#perSecond) return
    const isFree = this.waitMs() === 0
    this.#perSecond = perSecond
    if (perSecond === 0) this.#nextAtMs = Infinity
    else this.#nextAtMs = this.#clock.monotonic() + (isFree ? 0 : 1000 / perSecond)
  }
}
