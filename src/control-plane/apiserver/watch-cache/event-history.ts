/** The recent changes of one resource, from which a watch may resume. */
import type { CacheEvent } from './cache-event.ts'
import { watchExpired } from './errors.ts'

export type EventHistoryLimits = { readonly eventsMax: number; readonly bytesMax: number }

export class EventHistory {
  readonly #limits: EventHistoryLimits
  #events: CacheEvent[] = []
  #head = 0
  #bytes = 0
  /** A watch may start after this revision or a later one. */
  #oldest = 0

  constructor(limits: EventHistoryLimits) {
    this.#limits = limits
  }

  /** Starts over: what follows `revision` will be here. */
  reset(revision: number): void {
    this.#events = []
    this.#head = 0
    this.#bytes = 0
    this.#oldest = revision
  }

  get size(): number {
    return this.#events.length - this.#head
  }

  push(event: CacheEvent): void {
    this.#events.push(event)
    this.#bytes += event.heldBytes
    while (this.size > this.#limits.eventsMax || (this.#bytes > this.#limits.bytesMax && this.size > 1)) this.#drop()
  }

  /** All changes after `revision`; throws 410 Expired when some of them are forgotten. */
  after(revision: number): readonly CacheEvent[] {
    if (revision < this.#oldest) throw watchExpired(revision, this.#oldest)
    let low = this.#head
    let high = this.#events.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#events[middle]!.revision <= revision) low = middle + 1
      else high = middle
    }
    return low === this.#events.length ? [] : this.#events.slice(low)
  }

  #drop(): void {
    const dropped = this.#events[this.#head++]!
    this.#bytes -= dropped.heldBytes
    this.#oldest = this.#events[this.#head]!.revision - 1
    if (this.#head > 256 && this.#head * 2 > this.#events.length) {
      this.#events = this.#events.slice(this.#head)
      this.#head = 0
    }
  }
}
