/** Forgets the store's history after a while, so that it does not grow for ever. */
import type { Clock, Timer } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import { CompactedError, StoreClosedError, type Store } from '../store.ts'

/** Upstream's default: history stays readable for 5 to 10 minutes. */
export const COMPACTION_PERIOD_MS = 5 * 60_000

export class Compactor {
  readonly #store: Store
  readonly #clock: Clock
  readonly #log: Logger
  #timer: Timer | null = null
  #nextRevision: number

  /** Compacts at the end of each period to the revision that was current at its beginning. */
  constructor(options: { store: Store; clock: Clock; log: Logger; revision: number }) {
    this.#store = options.store
    this.#clock = options.clock
    this.#log = options.log
    this.#nextRevision = options.revision
    this.#schedule()
  }

  stop(): void {
    this.#timer?.cancel()
  }

  #schedule(): void {
    this.#timer = this.#clock.setTimer(COMPACTION_PERIOD_MS, () => void this.#tick())
  }

  async #tick(): Promise<void> {
    try {
      const revision = this.#nextRevision
      this.#nextRevision = await this.#store.currentRevision()
      if (revision > this.#store.compactedRevision()) await this.#store.compact(revision)
    } catch (error) {
      if (error instanceof StoreClosedError) return
      // Somebody else compacted, or the disk is full: the next period tries again.
      if (!(error instanceof CompactedError)) this.#log.warn('Cannot compact the store', { error: String(error) })
    }
    this.#schedule()
  }
}
