/** Remembers what a controller has written and its informer has not seen yet, so that an old view does not lead to a second write. */
import type { Clock } from '#base/clock.ts'

/** After this time an event was lost, and what the informer shows counts (upstream's ExpectationsTimeout). */
const TIMEOUT_MS = 5 * 60_000

export class Expectations {
  readonly #clock: Clock
  /** key -> uid of a pod that was created or deleted -> when. */
  readonly #pending = new Map<string, Map<string, number>>()
  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The pod was created (or deleted): the informer will say so. */
  expect(key: string, uid: string): void {
    let pending = this.#pending.get(key)
    if (pending === undefined) this.#pending.set(key, (pending = new Map()))
    pending.set(uid, this.#clock.monotonic())
  }

  observe(key: string, uid: string): void {
    const pending = this.#pending.get(key)
    if (pending?.delete(uid) === true && pending.size === 0) this.#pending.delete(key)
  }

  /** Whether the informer shows all that this controller did for the key. */
  areMet(key: string): boolean {
    const pending = this.#pending.get(key)
    if (pending === undefined) return true
    const oldest = this.#clock.monotonic() - TIMEOUT_MS
    for (const [uid, since] of pending) if (since < oldest) pending.delete(uid)
    if (pending.size > 0) return false
    this.#pending.delete(key)
    return true
  }

  forget(key: string): void {
    this.#pending.delete(key)
  }
}
