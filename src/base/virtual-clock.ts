/** A clock that only moves when it is told to: hours of a cluster's life run in seconds, in the same order each time. */
import { sleepWith, type Clock, type Timer } from './clock.ts'
import { KeyedHeap } from './heap.ts'

type Pending = { readonly id: string; readonly sequence: number; readonly atMs: number; readonly callback: () => void }

export class VirtualClock implements Clock {
  #nowMs: number
  #sequence = 0
  readonly #timers = new KeyedHeap<Pending>(
    ({ id }) => id,
    (a, b) => (a.atMs === b.atMs ? a.sequence < b.sequence : a.atMs < b.atMs),
  )

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#nowMs = startMs
  }

  now(): number {
    return this.#nowMs
  }

  monotonic(): number {
    return this.#nowMs
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const sequence = this.#sequence++
    const id = String(sequence)
    this.#timers.set({ id, sequence, atMs: this.#nowMs + Math.max(0, delayMs), callback })
    return { cancel: () => void this.#timers.delete(id) }
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return sleepWith(this, delayMs, signal)
  }

  /** Resolves at the same virtual time, after the timers that are due already. */
  yield(): Promise<void> {
    return new Promise((resolve) => {
      this.setTimer(0, resolve)
    })
  }

  /** Time of the next timer, or null when nothing is planned. */
  nextTimerAt(): number | null {
    return this.#timers.peek()?.atMs ?? null
  }

  /** Fires all timers of the next `durationMs` in order; after each one everything it set going runs until it waits again. */
  async advance(durationMs: number): Promise<void> {
    const endMs = this.#nowMs + durationMs
    await settle()
    for (let next = this.#timers.peek(); next !== undefined && next.atMs <= endMs; next = this.#timers.peek()) {
      this.#timers.delete(next.id)
      this.#nowMs = Math.max(this.#nowMs, next.atMs)
      next.callback()
      await settle()
    }
    this.#nowMs = endMs
  }

  /** Advances in steps until the condition holds; false when it does not within `limitMs`. */
  async advanceUntil(condition: () => boolean, limitMs: number, stepMs = 100): Promise<boolean> {
    for (let passed = 0; ; passed += stepMs) {
      await settle()
      if (condition()) return true
      if (passed >= limitMs) return false
      await this.advance(stepMs)
    }
  }
}

/** Lets all promises run that wait for nothing but each other. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
