/** What is counted for the requests of one FlowSchema in one priority level: read when metrics are asked for, so that a request pays next to nothing. */

export type RejectReason = 'concurrency-limit' | 'queue-full' | 'time-out'

/** A histogram of fixed buckets. */
export class Distribution {
  readonly bounds: readonly number[]
  /** By bucket; the last one is for what is above all bounds. */
  readonly counts: number[]
  sum = 0

  constructor(bounds: readonly number[]) {
    this.bounds = bounds
    this.counts = Array.from({ length: bounds.length + 1 }, () => 0)
  }

  observe(value: number, weight = 1): void {
    let bucket = 0
    while (bucket < this.bounds.length && value > this.bounds[bucket]!) bucket++
    this.counts[bucket]! += weight
    this.sum += value * weight
  }
}

const SECONDS = [0, 0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30]

export class FlowStats {
  readonly level: string
  readonly schema: string
  waiting = 0
  seatsWaiting = 0
  executing = 0
  seatsInUse = 0
  dispatched = 0
  withoutAccommodation = 0
  readonly rejected = new Map<RejectReason, number>()
  readonly queueLengths = new Distribution([0, 10, 25, 50, 100, 250, 500, 1000])
  readonly executionSeconds = { regular: new Distribution(SECONDS), watch: new Distribution(SECONDS) }
  readonly waitSeconds = { true: new Distribution(SECONDS), false: new Distribution(SECONDS) }
  readonly estimatedSeats = new Distribution([1, 2, 4, 8, 16, 32, 64, 100])
  readonly watchCounts = new Distribution([0, 1, 10, 100, 1000, 10_000])

  constructor(level: string, schema: string) {
    this.level = level
    this.schema = schema
  }

  reject(reason: RejectReason): void {
    this.rejected.set(reason, (this.rejected.get(reason) ?? 0) + 1)
  }
}
