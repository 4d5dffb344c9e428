/** The queues of one priority level: fair queuing in virtual time, with seats instead of bytes. */
import type { Clock } from '#base/clock.ts'
import { FairQueue } from './fair-queue.ts'
import { SeatDemand } from './seat-demand.ts'
import { SERVICE_SECONDS, Ticket, type Arrival } from './ticket.ts'

export type QueuingConfig = {
  /** -1: exempt, everything runs at once; 0: no queues, what does not fit is refused. */
  readonly queues: number
  readonly queueLengthLimit: number
}

export class QueueSet {
  readonly #clock: Clock
  readonly demand: SeatDemand
  readonly queues: FairQueue<Ticket>[] = []
  /** Requests that run without having been in a queue. */
  readonly unqueued = new Set<Ticket>()
  #config: QueuingConfig = { queues: 0, queueLengthLimit: 0 }
  #limit = 0
  /** Progress in virtual time, in seat-seconds. */
  currentR = 0
  #lastMs: number
  #robin = 0
  #enqueues = 0
  readonly #withWaiting = new Set<FairQueue<Ticket>>()
  #activeQueues = 0
  waiting = 0
  executing = 0
  seatsInUse = 0
  seatsWaiting = 0
  dispatched = 0
  rejected = 0
  cancelled = 0

  constructor(clock: Clock) {
    this.#clock = clock
    this.demand = new SeatDemand(clock)
    this.#lastMs = clock.monotonic()
  }

  get limit(): number {
    return this.#limit
  }

  get isIdle(): boolean {
    return this.waiting === 0 && this.executing === 0
  }

  configure(config: QueuingConfig, limit: number): void {
    this.#syncTime()
    this.#config = config
    this.#limit = limit
    while (this.queues.length < config.queues) this.queues.push(new FairQueue(this.queues.length))
    this.#dropSurplus()
    this.#dispatch()
  }

  /** Null when it is refused at once. */
  start(arrival: Arrival): Ticket | null {
    this.#syncTime()
    const atMs = this.#clock.monotonic()
    if (this.#config.queues < 1) {
      const ticket = new Ticket(arrival, { atMs, r: this.currentR, queue: null })
      if (!this.#hasSeats(ticket.seats)) return this.#refuse(arrival, 'concurrency-limit')
      this.#run(ticket)
      return ticket
    }
    const queue = this.#chooseQueue(arrival.hand)
    if (this.seatsInUse >= this.#limit && queue.waiting.length >= this.#config.queueLengthLimit)
      return this.#refuse(arrival, 'queue-full')
    const ticket = new Ticket(arrival, { atMs, r: this.currentR, queue })
    this.#enqueue(ticket, queue)
    this.#dispatch()
    return ticket
  }

  /** Resolves with false when the ticket was cancelled or has waited too long. */
  granted(ticket: Ticket, signal: AbortSignal): Promise<boolean> {
    if (ticket.state !== 'waiting') return Promise.resolve(ticket.state === 'running')
    return new Promise((resolve) => {
      const cancel = (): void => this.#cancel(ticket)
      ticket.settle = (isGranted) => {
        signal.removeEventListener('abort', cancel)
        resolve(isGranted)
      }
      ticket.timer = this.#clock.setTimer(ticket.arrival.waitLimitMs, cancel)
      signal.addEventListener('abort', cancel, { once: true })
      if (signal.aborted) cancel()
    })
  }

  /** The request is answered: its seats are free again, at once or when those who watch have been told. */
  finish(ticket: Ticket): void {
    this.#syncTime()
    const { work, stats } = ticket.arrival
    const { queue } = ticket
    this.executing--
    stats.executing--
    if (queue === null) this.unqueued.delete(ticket)
    else {
      queue.running.delete(ticket)
      const tookSeconds = (this.#clock.monotonic() - ticket.startedAtMs) / 1000
      queue.nextDispatchR -= work.initialSeats * (SERVICE_SECONDS - tookSeconds)
      queue.bound()
      if (!queue.isActive) this.#activeQueues--
    }
    if (work.additionalLatencyMs <= 0) this.#release(ticket)
    else
      this.#clock.setTimer(work.additionalLatencyMs, () => {
        this.#syncTime()
        this.#release(ticket)
      })
  }

  #release({ queue, seats, arrival }: Ticket): void {
    this.seatsInUse -= seats
    arrival.stats.seatsInUse -= seats
    if (queue !== null) queue.seatsInUse -= seats
    this.#noteDemand()
    this.#dropSurplus()
    this.#dispatch()
  }

  #refuse({ stats }: Arrival, why: 'concurrency-limit' | 'queue-full'): null {
    this.rejected++
    stats.reject(why)
    return null
  }

  #cancel(ticket: Ticket): void {
    if (ticket.state !== 'waiting') return
    this.#syncTime()
    const queue = ticket.queue!
    queue.remove(ticket)
    this.#leaveQueue(ticket, queue)
    if (!queue.isActive) this.#activeQueues--
    queue.bound()
    this.#noteDemand()
    this.rejected++
    this.cancelled++
    ticket.arrival.stats.reject('time-out')
    ticket.state = 'cancelled'
    this.#settle(ticket, false)
  }

  #settle(ticket: Ticket, isGranted: boolean): void {
    ticket.timer?.cancel()
    ticket.settle?.(isGranted)
    ticket.timer = ticket.settle = null
  }

  /** The one of the hand with the least work waiting; among equals each in its turn. */
  #chooseQueue(hand: readonly number[]): FairQueue<Ticket> {
    const offset = this.#enqueues++ % hand.length
    let best = this.queues[hand[offset]!]!
    for (let i = 1; i < hand.length; i++) {
      const queue = this.queues[hand[(offset + i) % hand.length]!]!
      if (queue.workWaiting < best.workWaiting) best = queue
    }
    return best
  }

  #enqueue(ticket: Ticket, queue: FairQueue<Ticket>): void {
    if (!queue.isActive) {
      queue.nextDispatchR = this.currentR
      this.#activeQueues++
    }
    queue.add(ticket)
    this.#withWaiting.add(queue)
    queue.bound()
    this.waiting++
    this.seatsWaiting += ticket.seats
    const { stats } = ticket.arrival
    stats.waiting++
    stats.seatsWaiting += ticket.seats
    stats.queueLengths.observe(queue.waiting.length)
    this.#noteDemand()
  }

  #leaveQueue(ticket: Ticket, queue: FairQueue<Ticket>): void {
    if (queue.waiting.length === 0) this.#withWaiting.delete(queue)
    this.waiting--
    this.seatsWaiting -= ticket.seats
    ticket.arrival.stats.waiting--
    ticket.arrival.stats.seatsWaiting -= ticket.seats
  }

  #dispatch(): void {
    while (this.waiting > 0 && this.seatsInUse < this.#limit) {
      const queue = this.#nextQueue()
      const ticket = queue.waiting[0]!
      if (!this.#hasSeats(ticket.seats)) {
        ticket.arrival.stats.withoutAccommodation++
        return
      }
      this.#robin = queue.index
      queue.remove(ticket)
      this.#leaveQueue(ticket, queue)
      queue.running.add(ticket)
      queue.seatsInUse += ticket.seats
      queue.nextDispatchR += ticket.work
      queue.bound()
      this.#run(ticket)
      this.#settle(ticket, true)
    }
  }

  /** Whose oldest request would be done first in virtual time; among equals the next one round. */
  #nextQueue(): FairQueue<Ticket> {
    let best: FairQueue<Ticket> | null = null
    let [bestFinish, bestTurn] = [Infinity, Infinity]
    for (const queue of this.#withWaiting) {
      const finish = queue.nextDispatchR + queue.waiting[0]!.work
      const turn = (queue.index - this.#robin - 1 + this.queues.length) % this.queues.length
      if (finish > bestFinish || (finish === bestFinish && turn > bestTurn)) continue
      best = queue
      bestFinish = finish
      bestTurn = turn
    }
    return best!
  }

  #run(ticket: Ticket): void {
    const { stats } = ticket.arrival
    ticket.state = 'running'
    ticket.startedAtMs = this.#clock.monotonic()
    if (ticket.queue === null) this.unqueued.add(ticket)
    this.executing++
    this.seatsInUse += ticket.seats
    stats.executing++
    stats.seatsInUse += ticket.seats
    stats.dispatched++
    this.dispatched++
    this.#noteDemand()
  }

  /** A request that is larger than the level runs when it is alone. */
  #hasSeats(seats: number): boolean {
    if (this.#config.queues < 0) return true
    if (seats > this.#limit) return this.executing === 0
    return this.seatsInUse + seats <= this.#limit
  }

  #noteDemand(): void {
    this.demand.set(this.seatsInUse + this.seatsWaiting)
  }

  /** Virtual time runs as fast as each of the queues with work gets seats. */
  #syncTime(): void {
    const now = this.#clock.monotonic()
    const seconds = (now - this.#lastMs) / 1000
    this.#lastMs = now
    if (this.#activeQueues === 0) return
    const wanted = this.seatsInUse + this.seatsWaiting
    this.currentR += (seconds * Math.min(wanted, this.#limit)) / this.#activeQueues
  }

  /** Queues beyond the configured number go when they are empty, the last ones first. */
  #dropSurplus(): void {
    while (this.queues.length > Math.max(0, this.#config.queues)) {
      const last = this.queues.at(-1)!
      if (last.isActive || last.seatsInUse > 0) return
      this.queues.pop()
    }
  }
}
