/** Leases of the store: which keys die with which lease, and when. */
import type { Clock, Timer } from '#base/clock.ts'

type Lease = { readonly id: number; readonly ttlMs: number; readonly keys: Set<string>; timer: Timer | null }

export class LeaseTable {
  readonly #clock: Clock
  readonly #onExpired: (lease: number) => void
  readonly #leases = new Map<number, Lease>()
  #nextId: number

  constructor(options: {
    readonly clock: Clock
    readonly lastId: number
    readonly onExpired: (lease: number) => void
  }) {
    this.#clock = options.clock
    this.#nextId = options.lastId + 1
    this.#onExpired = options.onExpired
  }

  /** Ids grow, also across restarts: one that ended is never given again while keys of it may exist. */
  takeId(): number {
    return this.#nextId++
  }

  has(id: number): boolean {
    return this.#leases.has(id)
  }

  /** A lease lives its whole time from now, also one that was loaded after a restart (as etcd's without checkpoints). */
  add(id: number, ttlSeconds: number): void {
    const lease: Lease = { id, ttlMs: ttlSeconds * 1000, keys: new Set(), timer: null }
    this.#leases.set(id, lease)
    this.#arm(lease)
  }

  renew(id: number): boolean {
    const lease = this.#leases.get(id)
    if (lease === undefined) return false
    this.#arm(lease)
    return true
  }

  remove(id: number): void {
    this.#leases.get(id)?.timer?.cancel()
    this.#leases.delete(id)
  }

  keysOf(id: number): readonly string[] {
    return [...(this.#leases.get(id)?.keys ?? [])]
  }

  /** Follows a write: `key` left `from` and is bound to `to` (0: none). */
  rebind(key: string, from: number, to: number): void {
    if (from !== 0) this.#leases.get(from)?.keys.delete(key)
    if (to !== 0) this.#leases.get(to)?.keys.add(key)
  }

  stop(): void {
    for (const lease of this.#leases.values()) lease.timer?.cancel()
  }

  #arm(lease: Lease): void {
    lease.timer?.cancel()
    lease.timer = this.#clock.setTimer(lease.ttlMs, () => this.#onExpired(lease.id))
  }
}
