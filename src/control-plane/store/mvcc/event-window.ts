/** The newest events of the store in memory, one per revision without holes: what watches resume from without asking the disk. */
import type { StoreEvent } from '../store.ts'
import type { Version } from './version.ts'

type Slot = { readonly event: StoreEvent; readonly version: Version; readonly bytes: number }

export class EventWindow {
  #slots: Slot[] = []
  #head = 0
  #bytes = 0
  /** Revision of the slot at `#head`. */
  #first: number
  readonly #bytesMax: number

  /** `revision`: the next one to come. Above `bytesMax` the oldest events leave, and with them the values of their versions. */
  constructor(options: { readonly revision: number; readonly bytesMax: number }) {
    this.#first = options.revision
    this.#bytesMax = options.bytesMax
  }

  /** Oldest revision held; the next one to come when nothing is held. */
  get firstRevision(): number {
    return this.#first
  }

  get nextRevision(): number {
    return this.#first + this.#slots.length - this.#head
  }

  push(event: StoreEvent, version: Version): void {
    const bytes = event.entry.value.length + (event.previous?.value.length ?? 0)
    this.#slots.push({ event, version, bytes })
    this.#bytes += bytes
    while (this.#bytes > this.#bytesMax && this.#head < this.#slots.length - 1) this.#dropOldest()
  }

  /** Forgets the events before `revision`. */
  forgetBefore(revision: number): void {
    while (this.#first < revision && this.#head < this.#slots.length) this.#dropOldest()
  }

  /** The events of [from, to]; both must be held. */
  *between(from: number, to: number): Generator<StoreEvent> {
    for (let revision = from; revision <= to; revision++) {
      yield this.#slots[this.#head + revision - this.#first]!.event
    }
  }

  #dropOldest(): void {
    const slot = this.#slots[this.#head]!
    // An endless window is the only place where values are.
    if (this.#bytesMax !== Infinity) slot.version.entry = null
    this.#bytes -= slot.bytes
    this.#head++
    this.#first++
    if (this.#head > 1024 && this.#head * 2 > this.#slots.length) {
      this.#slots = this.#slots.slice(this.#head)
      this.#head = 0
    }
  }
}
