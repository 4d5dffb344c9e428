/** One queue of a priority level: what waits in it, what runs out of it, and where it stands in virtual time. */

export type Queued = { readonly work: number; readonly arrivalR: number }

export class FairQueue<T extends Queued> {
  readonly index: number
  /** The oldest first. */
  readonly waiting: T[] = []
  readonly running = new Set<T>()
  /** Seat-seconds of what waits. */
  workWaiting = 0
  seatsInUse = 0
  /** When, in virtual time, its oldest request would begin. */
  nextDispatchR = 0

  constructor(index: number) {
    this.index = index
  }

  get isActive(): boolean {
    return this.waiting.length > 0 || this.running.size > 0
  }

  add(ticket: T): void {
    this.waiting.push(ticket)
    this.workWaiting += ticket.work
  }

  remove(ticket: T): void {
    this.waiting.splice(this.waiting.indexOf(ticket), 1)
    // Sums of fractions drift; an empty queue is exactly empty.
    this.workWaiting = this.waiting.length === 0 ? 0 : this.workWaiting - ticket.work
  }

  /** A queue saves nothing up: its oldest request cannot begin before it came. */
  bound(): void {
    const oldest = this.waiting[0]
    if (oldest !== undefined && this.nextDispatchR < oldest.arrivalR) this.nextDispatchR = oldest.arrivalR
  }
}
