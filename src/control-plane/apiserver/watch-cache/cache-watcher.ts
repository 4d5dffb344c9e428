/** One watch on the cache: first what was there or happened before it began, then changes as they come, in bounded memory. */
import type { Clock, Timer } from '#base/clock.ts'
import type { ServedWatchEvent, WatchStream } from '../request.ts'
import { ObjectEvent, type CacheEvent, type Matches } from './cache-event.ts'
import type { CachedObject } from './cached-object.ts'

/** Objects or old events looked at before other work gets a turn: about a millisecond. */
const SLICE_MAX = 500

/** A client that leaves more than this unread is cut off, and may resume from the revision it has. */
export type WatcherLimits = { readonly eventsMax: number; readonly bytesMax: number }

export type CacheWatcherOptions = {
  readonly matches: Matches
  readonly allowBookmarks: boolean
  /** State to report as ADDED before anything else. */
  readonly initial: readonly CachedObject[]
  /** Changes to report after `initial`. */
  readonly backlog: readonly CacheEvent[]
  /** Ends the initial state, for a client that asked for it. */
  readonly initialEnd: ServedWatchEvent | null
  readonly limits: WatcherLimits
  readonly clock: Clock
  readonly onClosed: (watcher: CacheWatcher) => void
}

export class CacheWatcher implements WatchStream {
  readonly matches: Matches
  readonly allowBookmarks: boolean
  readonly #options: CacheWatcherOptions
  #initial: readonly CachedObject[]
  #backlog: readonly CacheEvent[]
  #initialEnd: ServedWatchEvent | null
  #position = 0
  #pending: ServedWatchEvent[] = []
  #pendingBytes = 0
  #wake: (() => void) | null = null
  /** Ended: what is pending is still delivered after `finish`, not after `close`. */
  #ended = false
  #closed = false
  #timers: Timer[] = []

  constructor(options: CacheWatcherOptions) {
    this.#options = options
    this.matches = options.matches
    this.allowBookmarks = options.allowBookmarks
    this.#initial = options.initial
    this.#backlog = options.backlog
    this.#initialEnd = options.initialEnd
  }

  async next(): Promise<readonly ServedWatchEvent[] | null> {
    while (!this.#closed) {
      if (this.#isCatchingUp()) {
        const events = this.#takeSlice()
        if (events.length > 0) return events
        await this.#options.clock.yield()
      } else if (this.#pending.length > 0) return this.#takePending()
      else if (this.#ended) return null
      else await new Promise<void>((resolve) => (this.#wake = resolve))
    }
    return null
  }

  /** Takes a change that may concern this watcher. */
  offer(event: CacheEvent): void {
    const seen = event.seenBy(this.matches)
    if (seen !== null) this.#push(seen)
  }

  /** A bookmark is worth nothing behind a queue, or before the initial state is through. */
  offerBookmark(bookmark: ServedWatchEvent): void {
    if (this.#pending.length === 0 && !this.#isCatchingUp()) this.#push(bookmark)
  }

  /** Ends in an orderly way after what is pending. */
  finish(): void {
    if (this.#ended) return
    this.#ended = true
    this.#release()
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#ended = true
    this.#pending = []
    this.#initial = []
    this.#backlog = []
    this.#release()
  }

  /** Runs `callback` after `delayMs` unless the watch has ended by then. */
  schedule(delayMs: number, callback: () => void): void {
    this.#timers.push(this.#options.clock.setTimer(delayMs, callback))
  }

  #release(): void {
    for (const timer of this.#timers) timer.cancel()
    this.#timers = []
    this.#options.onClosed(this)
    this.#notify()
  }

  #isCatchingUp(): boolean {
    return this.#initial.length > 0 || this.#backlog.length > 0 || this.#initialEnd !== null
  }

  #takeSlice(): ServedWatchEvent[] {
    const events: ServedWatchEvent[] = []
    const end = this.#position + SLICE_MAX
    if (this.#initial.length > 0) {
      for (const object of this.#initial.slice(this.#position, end)) {
        if (this.matches(object)) events.push(new ObjectEvent('ADDED', object))
      }
      this.#advance(this.#initial.length, end, () => (this.#initial = []))
    } else if (this.#backlog.length > 0) {
      for (const event of this.#backlog.slice(this.#position, end)) {
        const seen = event.seenBy(this.matches)
        if (seen !== null) events.push(seen)
      }
      this.#advance(this.#backlog.length, end, () => (this.#backlog = []))
    }
    if (this.#initial.length === 0 && this.#initialEnd !== null) {
      events.push(this.#initialEnd)
      this.#initialEnd = null
    }
    return events
  }

  #advance(length: number, end: number, finished: () => void): void {
    this.#position = end
    if (end < length) return
    this.#position = 0
    finished()
  }

  #takePending(): ServedWatchEvent[] {
    const events = this.#pending
    this.#pending = []
    this.#pendingBytes = 0
    return events
  }

  #push(event: ServedWatchEvent): void {
    if (this.#ended) return
    const { eventsMax, bytesMax } = this.#options.limits
    this.#pendingBytes += event.bytes.length
    if (this.#pending.length >= eventsMax || this.#pendingBytes > bytesMax) return this.close()
    this.#pending.push(event)
    this.#notify()
  }

  #notify(): void {
    const wake = this.#wake
    this.#wake = null
    wake?.()
  }
}
