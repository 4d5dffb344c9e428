/** The watches of a store: each first catches up with history, then receives every commit as it happens. */
import { compareKeys } from '#base/sorted-records.ts'
import { CompactedError, StoreClosedError, type StoreEvent, type Watch, type WatchOptions } from '../store.ts'
import type { EventWindow } from './event-window.ts'
import type { Journal } from './journal.ts'

/** Events handed to a watch at once while it catches up, so that a long history does not hold the event loop. */
const CATCH_UP_EVENTS_MAX = 1000

export type WatchSource = {
  readonly window: EventWindow
  readonly journal: Journal
  currentRevision(): number
  compactedRevision(): number
}

export class WatchHub {
  readonly #source: WatchSource
  readonly #live = new Set<HubWatch>()
  readonly #all = new Set<HubWatch>()

  constructor(source: WatchSource) {
    this.#source = source
  }

  open(options: WatchOptions): Watch {
    const current = this.#source.currentRevision()
    const watch: HubWatch = new HubWatch(options, {
      // Revision 1 is the empty store.
      next: options.revision === 0 ? current + 1 : Math.max(2, options.revision),
      ended: () => {
        this.#all.delete(watch)
        this.#live.delete(watch)
      },
      currentRevision: () => this.#source.currentRevision(),
    })
    this.#all.add(watch)
    void this.#catchUp(watch)
    return watch
  }

  /** Hands the events of one commit, in order, to all watches that have caught up. */
  publish(events: readonly StoreEvent[]): void {
    const revision = events.at(-1)!.entry.modRevision
    for (const watch of this.#live) {
      if (watch.next > revision) continue
      const wanted = events.filter((event) => event.entry.modRevision >= watch.next && watch.covers(event.key))
      watch.next = revision + 1
      if (wanted.length > 0) watch.deliver(wanted, revision)
    }
  }

  closeAll(error: Error = new StoreClosedError()): void {
    for (const watch of this.#all) watch.fail(error)
  }

  async #catchUp(watch: HubWatch): Promise<void> {
    try {
      // The caller has to have its Watch before the first callback.
      await Promise.resolve()
      while (!watch.done && watch.next <= this.#source.currentRevision()) await this.#catchUpOnce(watch)
      if (watch.done) return
      this.#live.add(watch)
      watch.goLive()
    } catch (error) {
      watch.fail(error as Error)
    }
  }

  async #catchUpOnce(watch: HubWatch): Promise<void> {
    const { window, journal } = this.#source
    const compacted = this.#source.compactedRevision()
    if (watch.next < compacted) throw new CompactedError(compacted)
    const last = Math.min(this.#source.currentRevision(), watch.next + CATCH_UP_EVENTS_MAX - 1)
    const held = watch.next >= window.firstRevision
    const events = held
      ? [...window.between(watch.next, last)].filter((event) => watch.covers(event.key))
      : await journal.readEvents({ first: watch.next, last, start: watch.start, end: watch.end })
    // History that was compacted while it was read may have holes.
    const compactedNow = this.#source.compactedRevision()
    if (watch.next < compactedNow) throw new CompactedError(compactedNow)
    watch.next = last + 1
    watch.deliver(events, last)
    if (held) await Promise.resolve()
  }
}

type HubWatchOptions = { next: number; ended: () => void; currentRevision: () => number }

class HubWatch implements Watch {
  /** The next revision this watch has to see. */
  next: number
  done = false
  readonly #options: WatchOptions
  readonly #hub: HubWatchOptions
  #live = false
  #progressWanted = false

  constructor(options: WatchOptions, hub: HubWatchOptions) {
    this.next = hub.next
    this.#options = options
    this.#hub = hub
  }

  get start(): string {
    return this.#options.start
  }

  get end(): string {
    return this.#options.end
  }

  covers(key: string): boolean {
    return compareKeys(key, this.start) >= 0 && compareKeys(key, this.end) < 0
  }

  deliver(events: readonly StoreEvent[], revision: number): void {
    if (!this.done) this.#options.onEvents(events, revision)
  }

  goLive(): void {
    this.#live = true
    if (this.#progressWanted) this.#reportProgress()
  }

  requestProgress(): void {
    if (this.done || this.#progressWanted) return
    this.#progressWanted = true
    if (this.#live) queueMicrotask(() => this.#reportProgress())
  }

  cancel(): void {
    if (this.done) return
    this.done = true
    this.#hub.ended()
  }

  fail(error: Error): void {
    if (this.done) return
    this.cancel()
    this.#options.onError(error)
  }

  #reportProgress(): void {
    this.#progressWanted = false
    // A revision in the future that the watch starts from is not reported: nothing of it is known.
    this.deliver([], this.#hub.currentRevision())
  }
}
