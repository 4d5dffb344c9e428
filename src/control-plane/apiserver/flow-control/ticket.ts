/** A request that waits for seats, or holds them. */
import type { Timer } from '#base/clock.ts'
import type { ApiRequest } from '../request.ts'
import type { FairQueue } from './fair-queue.ts'
import type { FlowStats } from './flow-stats.ts'
import type { WorkEstimate } from './work-estimate.ts'

/** How long a request is expected to take, until it is known. */
export const SERVICE_SECONDS = 0.003

export type Arrival = {
  readonly work: WorkEstimate
  /** Indices of the flow's queues; empty where there are no queues. */
  readonly hand: readonly number[]
  readonly stats: FlowStats
  readonly waitLimitMs: number
  /** For the dumps. */
  readonly request: Pick<ApiRequest, 'user' | 'info' | 'path'>
  readonly distinguisher: string
}

/** A request that waits or runs. */
export class Ticket {
  readonly arrival: Arrival
  readonly arrivedAtMs: number
  readonly arrivalR: number
  readonly queue: FairQueue<Ticket> | null
  readonly seats: number
  readonly work: number
  state: 'waiting' | 'running' | 'cancelled' = 'waiting'
  startedAtMs = 0
  /** Set while somebody waits for the decision. */
  settle: ((isGranted: boolean) => void) | null = null
  timer: Timer | null = null

  constructor(arrival: Arrival, place: { atMs: number; r: number; queue: FairQueue<Ticket> | null }) {
    const { initialSeats, finalSeats, additionalLatencyMs } = arrival.work
    this.arrival = arrival
    this.arrivedAtMs = place.atMs
    this.arrivalR = place.r
    this.queue = place.queue
    this.seats = Math.max(initialSeats, finalSeats)
    this.work = initialSeats * SERVICE_SECONDS + (finalSeats * additionalLatencyMs) / 1000
  }
}
