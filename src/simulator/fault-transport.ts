/** The network between a component and the API server as it can be: slow, losing answers, ending watches, forgetting history. */
import type { Clock } from '#base/clock.ts'
import type { RandomSource } from '#base/random.ts'
import type { Transport, TransportRequest } from '#client/transport.ts'
import { resourceExpired } from '#machinery/status-error.ts'

export type Faults = {
  /** Longest way of a request, an answer or a batch of events; each takes a random part of it. */
  readonly delayMsMax: number
  /** Share of requests that never reach the server. */
  readonly lostRequests: number
  /** Share of requests that are carried out but whose answer is lost. */
  readonly lostAnswers: number
}

export const NO_FAULTS: Faults = { delayMsMax: 0, lostRequests: 0, lostAnswers: 0 }

/** How an open watch is lost: ended by the server, broken, or refused because its history is gone (410). */
const WATCH_LOSSES = ['ended', 'broken', 'expired'] as const
type WatchLoss = (typeof WATCH_LOSSES)[number]

type Batch = readonly { type: string; object: unknown }[]

export type FaultTransportOptions = {
  readonly transport: Transport
  readonly clock: Clock
  readonly random: RandomSource
  /** Asked anew for each request, so that the weather can change. */
  readonly faults: () => Faults
}

export class ConnectionLostError extends Error {
  constructor(what: string) {
    super(`connection lost: ${what}`)
    this.name = 'ConnectionLostError'
  }
}

export class FaultTransport implements Transport {
  readonly #options: FaultTransportOptions
  readonly #watches = new Set<(loss: WatchLoss) => void>()
  #isClosed = false

  constructor(options: FaultTransportOptions) {
    this.#options = options
  }

  async request(request: TransportRequest): Promise<unknown> {
    const { random, transport } = this.#options
    const { lostRequests, lostAnswers } = this.#options.faults()
    const what = `${request.method} ${request.path}`
    await this.#delay()
    this.#requireOpen(what)
    if (lostRequests > 0 && random.next() < lostRequests) throw new ConnectionLostError(`before ${what}`)
    // A refusal travels as long as an answer does.
    const answer = await transport.request(request).finally(() => this.#delay())
    this.#requireOpen(what)
    if (lostAnswers > 0 && random.next() < lostAnswers) throw new ConnectionLostError(`after ${what}`)
    return answer
  }

  async *watch(request: TransportRequest): AsyncGenerator<Batch> {
    const what = `watch of ${request.path}`
    await this.#delay()
    this.#requireOpen(what)
    const end = new AbortController()
    const lost = Promise.withResolvers<WatchLoss>()
    this.#watches.add(lost.resolve)
    const signal = request.signal === undefined ? end.signal : AbortSignal.any([request.signal, end.signal])
    const events = this.#options.transport.watch({ ...request, signal })[Symbol.asyncIterator]()
    try {
      for (;;) {
        const next = await Promise.race([lost.promise, this.#delayed(events)])
        if (next === 'ended') return
        if (next === 'broken') throw new ConnectionLostError(what)
        if (next === 'expired') return yield [{ type: 'ERROR', object: expiredStatus() }]
        if (next.done === true) return
        yield next.value
      }
    } finally {
      this.#watches.delete(lost.resolve)
      end.abort(new ConnectionLostError(what))
      events.return?.().catch(() => {}) // What the aborted watch still says is of no interest.
    }
  }

  /** Each open watch ends in one of the ways a watch can end; events on their way are lost with it. */
  loseWatches(): void {
    for (const lose of this.#watches) lose(WATCH_LOSSES[Math.floor(this.#options.random.next() * WATCH_LOSSES.length)]!)
  }

  /** As when the process of the component is killed: nothing goes out and nothing comes in any more. */
  async close(): Promise<void> {
    this.#isClosed = true
    for (const lose of this.#watches) lose('broken')
    await this.#options.transport.close()
  }

  async #delayed(events: AsyncIterator<Batch>): Promise<IteratorResult<Batch>> {
    const next = await events.next()
    await this.#delay()
    return next
  }

  async #delay(): Promise<void> {
    const { delayMsMax } = this.#options.faults()
    if (delayMsMax > 0) await this.#options.clock.sleep(Math.floor(this.#options.random.next() * delayMsMax))
  }

  #requireOpen(what: string): void {
    if (this.#isClosed) throw new ConnectionLostError(what)
  }
}

const expiredStatus = (): object => resourceExpired('too old resource version').toStatus()
