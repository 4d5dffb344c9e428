/** The API server's port: HTTPS for HTTP/1.1 and HTTP/2 on one socket, with optional client certificates. */
import { createSecureServer, type Http2SecureServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { IncomingHttpHeaders } from 'node:http2'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import type { Clock } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import { randomUuid, type RandomSource } from '#base/random.ts'
import { internalError, StatusError } from '#machinery/status-error.ts'
import { PlainRefusal } from '../plain-refusal.ts'
import type { ApiRequest, ApiResponse, Handler } from '../request.ts'
import { isLongRunning } from '../request-info.ts'
import { createApiRequest } from './api-request.ts'
import { ClientCertificates } from './client-certificate.ts'
import { endSpread } from './end-spread.ts'
import { frontHeaders, preflightAnswer, type FrontSettings } from './front-headers.ts'
import { shutdownAnswer, type Refusal } from './shutdown-answer.ts'
import {
  HEADERS_MAX,
  nodeServerOptions,
  tlsLimits,
  type ServingCertificate,
  type ServingOptions,
} from './serving-options.ts'
import { answerClientError } from './client-error.ts'
import { http1Exchange, http2Exchange, upgradeExchange, type Exchange } from './exchange.ts'
import { ClientGoneError } from './output.ts'
import { answerHeaders, writeResponse, type Encodings } from './response-writer.ts'

/** A request that is being answered. */
type Running = { readonly controller: AbortController; isLong: boolean }

export type HttpServerOptions = {
  readonly handler: Handler
  readonly clock: Clock
  readonly random: RandomSource
  readonly log: Logger
  /** PEM; certificates of clients are checked against it. Empty for none. */
  readonly clientCa: string
  /** PEM; certificates of front proxies are checked against it. Empty for none. */
  readonly requestHeaderCa: string
  readonly serving: ServingOptions
  readonly front: FrontSettings
  readonly onHandshakeError: () => void
  /** Told the bytes of each answer's body that is an object or a list. */
  readonly onAnswer: (request: ApiRequest, bytes: number) => void
  readonly encodings: Encodings
}

export type ShutdownOptions = {
  readonly drainMs: number
  readonly watchGraceMs: number
  readonly sendRetryAfter: boolean
}

/** Time for clients to take the last bytes and to close (upstream waits as long for its own). */
const FLUSH_MS_MAX = 2000
/** How long an idle connection of HTTP/1.1 is kept (Go clients close theirs after 90 s, so they come first). */
const KEEP_ALIVE_MS = 120_000
/** Upstream's time for the head of a request. */
const HEADERS_MS = 32_000

export class HttpServer {
  readonly #options: HttpServerOptions
  readonly #server: Http2SecureServer
  readonly #certificates: ClientCertificates
  readonly #sessions = new Set<ServerHttp2Session>()
  readonly #sockets = new Set<Duplex>()
  readonly #running = new Map<Exchange, Running>()
  #awaited = new Set<Exchange>()
  #isOver: (() => void) | null = null
  #refusal: Refusal = 'none'

  constructor(options: HttpServerOptions) {
    this.#options = options
    this.#certificates = new ClientCertificates(options)
    const authorities = [options.clientCa, options.requestHeaderCa].filter((pem) => pem !== '')
    this.#server = createSecureServer(nodeServerOptions(options.serving, authorities))
    for (const { names, certificate, privateKey } of options.serving.named ?? [])
      for (const name of names)
        this.#server.addContext(name, {
          ...tlsLimits(options.serving),
          cert: certificate,
          key: privateKey,
          ca: authorities,
        })
    const server = this.#server as Http2SecureServer & {
      keepAliveTimeout: number
      headersTimeout: number
      maxHeadersCount: number
    }
    server.keepAliveTimeout = KEEP_ALIVE_MS
    server.headersTimeout = HEADERS_MS
    server.maxHeadersCount = HEADERS_MAX
    server.on('request', (request: unknown, response: unknown) =>
      this.#serve(http1Exchange(request as IncomingMessage, response as ServerResponse)),
    )
    // The listener above also brings the compatibility layer of HTTP/2; streams are served without it.
    server.removeAllListeners('stream')
    server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, _flags: number, raw: string[]) =>
      this.#serveStream(stream, headers, raw),
    )
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) =>
      this.#serve(upgradeExchange(request, socket, head)),
    )
    server.on('clientError', answerClientError)
    server.on('session', (session) => this.#track(session))
    server.on('sessionError', (error) => options.log.debug('HTTP/2 session ended', { error: String(error) }))
    server.on('secureConnection', (socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
      socket.on('error', () => {})
    })
    server.on('tlsClientError', (error) => {
      options.onHandshakeError()
      options.log.debug('TLS handshake failed', { error: String(error) })
    })
  }

  /** Resolves with the port that is listened on. A port in use rejects with Node's EADDRINUSE. */
  listen(): Promise<number> {
    const { port, address: host, reusePort = false } = this.#options.serving
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen({ port, host, reusePort }, () => {
        this.#server.off('error', reject)
        resolve((this.#server.address() as AddressInfo).port)
      })
    })
  }

  /** New handshakes use this certificate; running connections stay. */
  setCertificate({ certificate, privateKey }: ServingCertificate): void {
    const { serving, clientCa, requestHeaderCa } = this.#options
    const ca = [clientCa, requestHeaderCa].filter((pem) => pem !== '')
    this.#server.setSecureContext({ ...tlsLimits(serving), key: privateKey, cert: certificate, ca })
  }

  /**
   * Lets requests finish for `drainMs`, ends watches within `watchGraceMs`, then closes what is left. Meanwhile new requests are refused:
   * nobody connects any more, or (`sendRetryAfter`) everybody is told to come again, hopefully elsewhere.
   */
  async close({ drainMs, watchGraceMs, sendRetryAfter }: ShutdownOptions): Promise<void> {
    const { clock } = this.#options
    this.#refusal = sendRetryAfter ? 'retry-after' : 'unavailable'
    if (!sendRetryAfter) this.#stopListening()
    // Watches and other streams would never end by themselves; the rest may finish.
    const lasting = [...this.#running.values()].filter(({ isLong }) => isLong)
    const ended = endSpread(lasting, { graceMs: watchGraceMs, clock }, ({ controller }) => controller.abort())
    const isOver = new AbortController()
    const late = clock.sleep(drainMs, isOver.signal).catch(() => {})
    await Promise.race([Promise.all([ended, this.#untilOver(new Set(this.#running.keys()))]), late])
    isOver.abort()
    if (sendRetryAfter) this.#stopListening()
    await this.#closeConnections()
  }

  #stopListening(): void {
    this.#server.close()
    for (const session of this.#sessions) session.close()
  }

  /** Requests that come later are not waited for. */
  async #untilOver(awaited: Set<Exchange>): Promise<void> {
    this.#awaited = awaited
    if (awaited.size > 0) await new Promise<void>((resolve) => (this.#isOver = resolve))
  }

  /** What was answered is on its way to the clients: the connections end behind it. */
  async #closeConnections(): Promise<void> {
    const open = [...this.#sockets].filter(({ destroyed }) => !destroyed)
    for (const socket of open) if ((socket as TLSSocket).alpnProtocol !== 'h2') socket.end()
    const closed = open.map((socket) => new Promise<void>((resolve) => socket.once('close', () => resolve())))
    const isOver = new AbortController()
    const late = this.#options.clock.sleep(FLUSH_MS_MAX, isOver.signal).catch(() => {})
    await Promise.race([Promise.all(closed), late])
    isOver.abort()
    for (const session of this.#sessions) session.destroy()
    for (const socket of this.#sockets) socket.destroy()
  }

  #track(session: ServerHttp2Session): void {
    this.#sessions.add(session)
    session.once('close', () => this.#sessions.delete(session))
  }

  #serveStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, raw: string[]): void {
    this.#serve(http2Exchange(stream, headers, raw))
    const { serving, random } = this.#options
    // The client goes on with a new connection, which a load balancer may lead to another server; what runs here finishes.
    if (serving.goawayChance !== undefined && random.next() < serving.goawayChance) stream.session?.close()
  }

  #serve(exchange: Exchange): void {
    const controller = new AbortController()
    const running: Running = { controller, isLong: false }
    this.#running.set(exchange, running)
    exchange.onClose(() => {
      controller.abort()
      this.#running.delete(exchange)
      this.#awaited.delete(exchange)
      if (this.#awaited.size === 0) this.#isOver?.()
    })
    void this.#answer(exchange, running)
  }

  async #answer(exchange: Exchange, running: Running): Promise<void> {
    const { clock, log, encodings, front } = this.#options
    let request: ApiRequest | null = null
    const auditId =
      exchange.rawHeaders.find(([name]) => name.toLowerCase() === 'audit-id')?.[1] ?? randomUuid(this.#options.random)
    try {
      request = createApiRequest(exchange, running.controller.signal, {
        certificates: this.#certificates,
        auditId,
        receivedMs: clock.now(),
      })
      running.isLong = isLongRunning(request)
      const response =
        preflightAnswer(front, request) ?? this.#refuse(exchange, request) ?? (await this.#options.handler(request))
      const headers = { ...frontHeaders(front, request.headers), ...answerHeaders(request, auditId, response.headers) }
      const answered = request
      const onSize = (bytes: number): void => this.#options.onAnswer(answered, bytes)
      await writeResponse(exchange, request, response, { headers, clock, encodings, onSize })
    } catch (error) {
      if (error instanceof ClientGoneError) return void exchange.output.destroy()
      // What breaks because the client has left is nobody's failure.
      const isAnswer = error instanceof StatusError || error instanceof PlainRefusal
      if (!isAnswer && !running.controller.signal.aborted)
        log.error('request failed', { target: exchange.target, error: stackOf(error) })
      await this.#answerError(exchange, request, auditId, error)
    }
  }

  /** A refused client is asked to leave its connection as well. */
  #refuse(exchange: Exchange, request: ApiRequest): ApiResponse | null {
    const answer = shutdownAnswer(this.#refusal, request)
    if (answer !== null) exchange.dropBody()
    return answer
  }

  async #answerError(exchange: Exchange, request: ApiRequest | null, auditId: string, error: unknown): Promise<void> {
    if (exchange.headSent) return void exchange.output.destroy()
    const response = errorResponse(error)
    const { clock, encodings, front } = this.#options
    const headers = {
      ...frontHeaders(front, request?.headers ?? {}),
      ...answerHeaders(request, auditId, response.headers),
    }
    exchange.dropBody()
    try {
      await writeResponse(exchange, request ?? UNREADABLE_REQUEST, response, {
        headers,
        clock,
        encodings,
        onSize: (bytes) => {
          if (request !== null && !TURNED_AWAY.has(response.code)) this.#options.onAnswer(request, bytes)
        },
      })
    } catch {
      exchange.output.destroy()
    }
  }
}

/** Reads that are answered so have not come to their resource. */
const TURNED_AWAY = new Set([401, 403, 429])

/** Stands for a request whose path or query could not be read: its error is answered in the plainest form. */
const UNREADABLE_REQUEST = {
  method: 'GET',
  headers: {},
  query: new URLSearchParams(),
  info: { isResourceRequest: false },
}

const stackOf = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error))

/** The answer for an error: its own Status, or a 500 that tells nothing of our inside but the message. */
export function errorResponse(error: unknown): ApiResponse {
  if (error instanceof PlainRefusal)
    return {
      code: error.code,
      headers: error.headers,
      body: { form: 'raw', contentType: error.contentType, content: error.message },
    }
  const status =
    error instanceof StatusError ? error : internalError(error instanceof Error ? error.message : String(error))
  return { code: status.code, headers: status.headers, body: { form: 'object', object: status.toStatus() } }
}
