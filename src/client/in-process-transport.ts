/** Reaches an API server in the same process: no TCP, no JSON; objects go in as copies and come out as shared views. */
import type { Transport, TransportRequest } from './transport.ts'

/** The answer forms of an API server that a client in the same process can use as they are. */
export type InProcessAnswer =
  | { readonly form: 'object'; readonly object: unknown }
  | {
      readonly form: 'watch'
      readonly next: () => Promise<readonly { type: string; object: unknown }[] | null>
      readonly close: () => void
    }

/**
 * What the API server offers to components beside it (its `inProcess(user)`): the same chain as for requests from the network, from
 * authorization on. Throws StatusError for refusals. It owns the body it gets.
 */
export type InProcessServer = (request: {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: Readonly<Record<string, string>>
  readonly body: unknown
  readonly contentType: string
  readonly signal: AbortSignal
}) => Promise<InProcessAnswer>

export class InProcessTransport implements Transport {
  readonly #server: InProcessServer
  readonly #headers: Readonly<Record<string, string>>
  readonly #closing = new AbortController()

  /** `userAgent` names the component: the default field manager comes from it. */
  constructor(server: InProcessServer, userAgent: string) {
    this.#server = server
    this.#headers = { 'user-agent': userAgent, accept: 'application/json' }
  }

  async request(request: TransportRequest): Promise<unknown> {
    const answer = await this.#call(request)
    if (answer.form === 'object') return answer.object
    answer.close()
    throw new Error(`${request.method} ${request.path} answers with a stream`)
  }

  async *watch(request: TransportRequest): AsyncGenerator<readonly { type: string; object: unknown }[]> {
    const answer = await this.#call(request)
    if (answer.form !== 'watch') throw new Error(`${request.method} ${request.path} is no watch`)
    try {
      for (let events = await answer.next(); events !== null; events = await answer.next()) yield events
    } finally {
      answer.close()
    }
  }

  async close(): Promise<void> {
    this.#closing.abort()
  }

  #call(request: TransportRequest): Promise<InProcessAnswer> {
    const signal =
      request.signal === undefined ? this.#closing.signal : AbortSignal.any([request.signal, this.#closing.signal])
    signal.throwIfAborted()
    return this.#server({
      method: request.method,
      path: request.path,
      query: new URLSearchParams(request.query),
      headers: this.#headers,
      body: request.body === undefined ? undefined : structuredClone(request.body),
      contentType: request.contentType ?? 'application/json',
      signal,
    })
  }
}
