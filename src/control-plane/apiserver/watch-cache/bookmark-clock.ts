/** Decides when watchers get their bookmarks: each about once a minute, spread so that they do not all wake at once. */
import type { Clock, Timer } from '#base/clock.ts'
import type { CacheWatcher } from './cache-watcher.ts'

export const BOOKMARK_PERIOD_MS = 60_000
/** Groups of watchers that take turns within a period. */
const GROUPS = 6

export class BookmarkClock {
  readonly #clock: Clock
  readonly #onDue: (watchers: readonly CacheWatcher[]) => void
  readonly #groups: Set<CacheWatcher>[] = Array.from({ length: GROUPS }, () => new Set())
  #next = 0
  #count = 0
  #timer: Timer | null = null

  constructor(clock: Clock, onDue: (watchers: readonly CacheWatcher[]) => void) {
    this.#clock = clock
    this.#onDue = onDue
  }

  add(watcher: CacheWatcher): void {
    // The group that was served last waits a full period.
    this.#groups[(this.#next + GROUPS - 1) % GROUPS]!.add(watcher)
    this.#count++
    this.#timer ??= this.#clock.setTimer(BOOKMARK_PERIOD_MS / GROUPS, () => this.#tick())
  }

  delete(watcher: CacheWatcher): void {
    for (const group of this.#groups) if (group.delete(watcher)) this.#count--
    if (this.#count === 0) this.stop()
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = null
  }

  #tick(): void {
    this.#timer = this.#clock.setTimer(BOOKMARK_PERIOD_MS / GROUPS, () => this.#tick())
    const due = [...this.#groups[this.#next]!]
    this.#next = (this.#next + 1) % GROUPS
    if (due.length > 0) this.#onDue(due)
  }
}
