/** How a client's request reaches an API server: HTTPS from afar, a function call in the same process. */

export type TransportRequest = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  /** Sent as JSON; undefined for none. The transport may keep it: the caller does not touch it afterwards. */
  readonly body?: unknown
  readonly contentType?: string
  readonly signal?: AbortSignal
}

export interface Transport {
  /** The decoded answer; throws StatusError when the server refused. */
  request(request: TransportRequest): Promise<unknown>
  /** Batches of watch events, in order, until the server ends the stream. */
  watch(request: TransportRequest): AsyncIterable<readonly { type: string; object: unknown }[]>
  close(): Promise<void>
}
