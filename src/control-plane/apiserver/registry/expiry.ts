/** Leases for objects that are kept for a time only: events. Objects written shortly after each other share one. */
import type { Clock } from '#base/clock.ts'
import type { Store } from '#control-plane/store/store.ts'

/** Upstream's --lease-reuse-duration-seconds and --lease-max-object-count: a lease is a write of its own. */
const REUSE_SECONDS_MAX = 60
const REUSE_SHARE = 0.05
const OBJECTS_MAX = 1000

export type ExpiryOptions = { readonly store: Store; readonly clock: Clock; readonly ttlSeconds: number }

type Shared = { readonly id: Promise<number>; readonly reusableUntilMs: number; objects: number }

export class Expiry {
  readonly #options: ExpiryOptions
  #shared: Shared | null = null
  constructor(options: ExpiryOptions) {
    this.#options = options
  }

  /** The lease to write an object with: it ends after the time to live, or a little later. 0: objects are kept for ever. */
  async lease(): Promise<number> {
    const { store, clock, ttlSeconds } = this.#options
    if (ttlSeconds <= 0) return 0
    const nowMs = clock.monotonic()
    let shared = this.#shared
    if (shared === null || nowMs >= shared.reusableUntilMs || shared.objects >= OBJECTS_MAX) {
      const reuseSeconds = Math.min(REUSE_SECONDS_MAX, ttlSeconds * REUSE_SHARE)
      const id = store.grantLease(Math.ceil(ttlSeconds + reuseSeconds))
      shared = { id, reusableUntilMs: nowMs + reuseSeconds * 1000, objects: 0 }
      this.#shared = shared
    }
    shared.objects++
    try {
      return await shared.id
    } catch (error) {
      if (this.#shared === shared) this.#shared = null
      throw error
    }
  }
}
