/** Keeps a cache in step with the store: reads the range once, then follows one watch, and starts over when that breaks. */
import type { Clock } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import { prefixEnd, StoreClosedError, type Entry, type Store, type StoreEvent, type Watch } from '../../store/store.ts'

/** Entries read at once at the start, so that other work gets its turn. */
const READ_ENTRIES_MAX = 1000
const RETRY_MS = 1000

/**
 * Revisions of the store's history that are replayed at the start: a client that watched before a short restart goes on where it
 * was, instead of all clients listing anew.
 */
const REPLAY_REVISIONS_MAX = 2000

export type StoreFeedTarget = {
  /** Forgets everything: the state as of `revision` follows in `load`. */
  restart(revision: number): void
  load(entries: readonly Entry[]): void
  apply(events: readonly StoreEvent[], revision: number): void
  /** Everything that the store held when the feed started has arrived. */
  ready(): void
  broken(): void
}

export class StoreFeed {
  readonly #store: Store
  readonly #clock: Clock
  readonly #log: Logger
  readonly #prefix: string
  readonly #target: StoreFeedTarget
  readonly #stop = new AbortController()
  #watch: Watch | null = null

  constructor(options: { store: Store; clock: Clock; log: Logger; prefix: string; target: StoreFeedTarget }) {
    this.#store = options.store
    this.#clock = options.clock
    this.#log = options.log
    this.#prefix = options.prefix
    this.#target = options.target
  }

  start(): void {
    void this.#run()
  }

  requestProgress(): void {
    this.#watch?.requestProgress()
  }

  stop(): void {
    this.#stop.abort()
    this.#watch?.cancel()
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        await this.#follow()
      } catch (error) {
        if (this.#stop.signal.aborted) return
        this.#target.broken()
        if (error instanceof StoreClosedError) return
        this.#log.warn('Watch of the store ended, reading it anew', { prefix: this.#prefix, error: String(error) })
        await this.#clock.sleep(RETRY_MS, this.#stop.signal).catch(() => {})
      }
    }
  }

  /** Runs until the watch breaks, and throws why. */
  async #follow(): Promise<void> {
    const current = await this.#store.currentRevision()
    const revision = Math.max(1, this.#store.compactedRevision(), current - REPLAY_REVISIONS_MAX)
    this.#target.restart(revision)
    await this.#readAll(revision)
    if (this.#stop.signal.aborted) return
    await new Promise<void>((_resolve, reject) => {
      let isReady = false
      this.#watch = this.#store.watch({
        start: this.#prefix,
        end: prefixEnd(this.#prefix),
        revision: revision + 1,
        onEvents: (events, upTo) => {
          this.#target.apply(events, upTo)
          if (isReady || upTo < current) return
          isReady = true
          this.#target.ready()
        },
        onError: reject,
      })
      this.#watch.requestProgress()
    })
  }

  /** Page by page, so that the values are never in memory twice. */
  async #readAll(revision: number): Promise<void> {
    const end = prefixEnd(this.#prefix)
    for (let start = this.#prefix; ;) {
      const { entries, count } = await this.#store.range({ start, end, revision, limit: READ_ENTRIES_MAX })
      if (this.#stop.signal.aborted) return
      this.#target.load(entries)
      if (count <= entries.length) return
      start = `${entries.at(-1)!.key}\0`
    }
  }
}
