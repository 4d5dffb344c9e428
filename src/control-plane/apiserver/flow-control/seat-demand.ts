/** How many seats a priority level could have used over time: what borrowing goes by. */
import type { Clock } from '#base/clock.ts'

/** Half of a demand that is gone is forgotten after about five minutes (upstream's coefficient, per 10 s). */
const SMOOTHING = 0.977

export type DemandStats = {
  readonly highWatermark: number
  readonly average: number
  readonly deviation: number
  readonly smoothed: number
}

export class SeatDemand {
  readonly #clock: Clock
  #value = 0
  #atMs: number
  #max = 0
  #seconds = 0
  #integral = 0
  #squares = 0
  #stats: DemandStats = { highWatermark: 0, average: 0, deviation: 0, smoothed: 0 }

  constructor(clock: Clock) {
    this.#clock = clock
    this.#atMs = clock.monotonic()
  }

  get stats(): DemandStats {
    return this.#stats
  }

  set(value: number): void {
    this.#advance()
    this.#value = value
    if (value > this.#max) this.#max = value
  }

  /** Ends a period: its numbers become the statistics, and the next begins. */
  endPeriod(): DemandStats {
    this.#advance()
    const average = this.#seconds === 0 ? 0 : this.#integral / this.#seconds
    const variance = this.#seconds === 0 ? 0 : this.#squares / this.#seconds - average * average
    const deviation = Math.sqrt(Math.max(0, variance))
    const envelope = average + deviation
    const smoothed = Math.max(envelope, SMOOTHING * this.#stats.smoothed + (1 - SMOOTHING) * envelope)
    this.#stats = { highWatermark: Math.ceil(this.#max), average, deviation, smoothed }
    this.#max = this.#value
    this.#seconds = this.#integral = this.#squares = 0
    return this.#stats
  }

  #advance(): void {
    const now = this.#clock.monotonic()
    const seconds = (now - this.#atMs) / 1000
    this.#atMs = now
    this.#seconds += seconds
    this.#integral += this.#value * seconds
    this.#squares += this.#value * this.#value * seconds
  }
}
