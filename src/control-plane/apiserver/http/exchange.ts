/** One request and the place for its answer, whichever version of HTTP carries it. */
import { ServerResponse, type IncomingMessage } from 'node:http'
import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import type { Duplex, Readable, Writable } from 'node:stream'
import type { TLSSocket } from 'node:tls'

export interface Exchange {
  readonly method: string
  /** Path and query as sent. */
  readonly target: string
  readonly rawHeaders: readonly (readonly [name: string, value: string])[]
  readonly socket: TLSSocket
  readonly body: Readable
  readonly isHttp2: boolean
  /** Where the answer's body goes after `sendHead`. */
  readonly output: Writable
  /** Set when the client asks to leave HTTP. */
  readonly upgrade: { readonly request: IncomingMessage; readonly socket: Duplex; readonly head: Buffer } | null
  sendHead(code: number, headers: Readonly<Record<string, string | readonly string[]>>): void
  readonly headSent: boolean
  /** What the client still sends is not wanted: it is thrown away, or refused where the protocol can. The answer still goes out. */
  dropBody(): void
  /** Calls back once when the client is gone or the answer is complete. */
  onClose(callback: () => void): void
}

/** Names that speak of the connection and have no place in HTTP/2. */
const CONNECTION_HEADERS = new Set(['connection', 'keep-alive', 'transfer-encoding', 'upgrade'])

export function http1Exchange(request: IncomingMessage, response: ServerResponse): Exchange {
  // A request that broke off is seen by whoever reads it; the listener keeps it from ending the process.
  request.on('error', () => {})
  response.on('error', () => {})
  return {
    method: request.method ?? 'GET',
    target: request.url ?? '/',
    rawHeaders: pairs(request.rawHeaders),
    socket: request.socket as TLSSocket,
    body: request,
    isHttp2: false,
    output: response,
    upgrade: null,
    sendHead: (code, headers) => {
      response.writeHead(code, headers as Record<string, string | string[]>)
    },
    get headSent() {
      return response.headersSent
    },
    dropBody: () => {
      request.resume()
    },
    onClose: (callback) => {
      response.once('close', callback)
    },
  }
}

/** An upgrade request: refusals are answered over HTTP, after which the connection ends. */
export function upgradeExchange(request: IncomingMessage, socket: Duplex, head: Buffer): Exchange {
  const response = new ServerResponse(request)
  response.shouldKeepAlive = false
  let assigned = false
  socket.on('error', () => {})
  const exchange = http1Exchange(request, response)
  return {
    ...exchange,
    upgrade: { request, socket, head },
    sendHead: (code, headers) => {
      if (!assigned) response.assignSocket(socket as TLSSocket)
      assigned = true
      response.on('finish', () => socket.end())
      // Node's server has let go of the socket, and tells the answer no more when there is room again.
      socket.on('drain', () => response.emit('drain'))
      response.writeHead(code, { ...headers, connection: 'close' } as Record<string, string | string[]>)
    },
    get headSent() {
      return response.headersSent
    },
    onClose: (callback) => {
      socket.once('close', callback)
    },
  }
}

export function http2Exchange(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, rawHeaders: string[]): Exchange {
  stream.on('error', () => {})
  return {
    method: String(headers[':method'] ?? 'GET'),
    target: String(headers[':path'] ?? '/'),
    rawHeaders: pairs(rawHeaders).filter(([name]) => !name.startsWith(':')),
    socket: stream.session!.socket as TLSSocket,
    body: stream,
    isHttp2: true,
    output: stream,
    upgrade: null,
    sendHead: (code, answer) => {
      if (stream.destroyed || stream.headersSent) return
      const kept = Object.entries(answer).filter(([name]) => !CONNECTION_HEADERS.has(name.toLowerCase()))
      // What ends a connection of HTTP/1 is a GOAWAY here: streams that are open finish, then the connection goes.
      if (answer['Connection'] === 'close') stream.session?.close()
      stream.respond({ ...Object.fromEntries(kept), ':status': code } as Record<string, string | string[] | number>)
    },
    get headSent() {
      return stream.headersSent
    },
    dropBody: () => {
      if (!stream.readableEnded) stream.once('finish', () => stream.close(constants.NGHTTP2_NO_ERROR))
    },
    onClose: (callback) => {
      stream.once('close', callback)
    },
  }
}

function pairs(raw: readonly string[]): (readonly [string, string])[] {
  const list: (readonly [string, string])[] = []
  for (let index = 0; index + 1 < raw.length; index += 2) list.push([raw[index]!, raw[index + 1]!])
  return list
}
