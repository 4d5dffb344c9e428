/** Speaks to an API server over HTTPS: one HTTP/2 connection for all calls and watches, opened again when it breaks. */
import { connect, constants, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2'
import { readFile } from 'node:fs/promises'
import type { Clock, Timer } from '#base/clock.ts'
import type { Status } from '#machinery/meta/v1.gen.ts'
import { StatusError } from '#machinery/status-error.ts'
import type { ConnectionConfig } from './kubeconfig.ts'
import type { Transport, TransportRequest } from './transport.ts'

export type HttpTransportOptions = {
  readonly config: ConnectionConfig
  readonly clock: Clock
  /** Name of the component; the server takes the default field manager from it. */
  readonly userAgent: string
}

/** A projected token is renewed long before it expires; client-go reads it again after a minute. */
const TOKEN_REREAD_MS = 60_000
/** A silent connection is asked for a sign of life, so that a dead server is noticed. */
const PING_MS = 15_000
const PING_TIMEOUT_MS = 15_000
const WINDOW_BYTES = 4 * 1024 * 1024

export class HttpTransport implements Transport {
  readonly #config: ConnectionConfig
  readonly #clock: Clock
  readonly #userAgent: string
  readonly #basePath: string
  #session: Promise<ClientHttp2Session> | null = null
  #token: { readonly text: string; readonly readAtMs: number } | null = null
  #closed = false

  constructor({ config, clock, userAgent }: HttpTransportOptions) {
    this.#config = config
    this.#clock = clock
    this.#userAgent = userAgent
    this.#basePath = new URL(config.server).pathname.replace(/\/$/, '')
  }

  async request(request: TransportRequest): Promise<unknown> {
    const { stream, code } = await this.#open(request)
    const chunks: Buffer[] = []
    for await (const chunk of stream) chunks.push(chunk as Buffer)
    const text = Buffer.concat(chunks).toString()
    if (code >= 400) throw errorOf(code, text)
    return parseAnswer(text)
  }

  async *watch(request: TransportRequest): AsyncGenerator<readonly { type: string; object: unknown }[]> {
    const { stream, code } = await this.#open(request)
    if (code >= 400) {
      const chunks: Buffer[] = []
      for await (const chunk of stream) chunks.push(chunk as Buffer)
      throw errorOf(code, Buffer.concat(chunks).toString())
    }
    const lines = new LineSplitter()
    for await (const chunk of stream) {
      const events = lines.push(chunk as Buffer).map((line) => JSON.parse(line) as { type: string; object: unknown })
      if (events.length > 0) yield events
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    const session = await this.#session?.catch(() => null)
    session?.destroy()
  }

  async #open(request: TransportRequest): Promise<{ stream: ClientHttp2Stream; code: number }> {
    request.signal?.throwIfAborted()
    const session = await this.#connect()
    const body = request.body === undefined ? null : Buffer.from(JSON.stringify(request.body))
    const query = new URLSearchParams(request.query).toString()
    const stream = session.request(
      {
        ':method': request.method,
        ':path': `${this.#basePath}${request.path}${query === '' ? '' : `?${query}`}`,
        accept: 'application/json',
        'user-agent': this.#userAgent,
        ...(body === null
          ? {}
          : { 'content-type': request.contentType ?? 'application/json', 'content-length': body.length }),
        ...(await this.#authorization()),
      },
      { endStream: body === null, ...(request.signal === undefined ? {} : { signal: request.signal }) },
    )
    if (body !== null) stream.end(body)
    return { stream, code: await statusOf(stream, request.signal) }
  }

  async #authorization(): Promise<{ authorization?: string }> {
    const { token, tokenFile } = this.#config
    if (tokenFile === undefined) return token === undefined ? {} : { authorization: `Bearer ${token}` }
    const now = this.#clock.monotonic()
    if (this.#token === null || now - this.#token.readAtMs > TOKEN_REREAD_MS)
      this.#token = { text: (await readFile(tokenFile, 'utf8')).trim(), readAtMs: now }
    return { authorization: `Bearer ${this.#token.text}` }
  }

  #connect(): Promise<ClientHttp2Session> {
    if (this.#closed) throw new Error('the transport is closed')
    if (this.#session !== null) return this.#session
    const opening = this.#dial()
    this.#session = opening
    const forget = (): void => {
      if (this.#session === opening) this.#session = null
    }
    opening.then((session) => {
      for (const event of ['close', 'goaway', 'error']) session.once(event, forget)
      this.#watchOver(session)
    }, forget)
    return opening
  }

  #dial(): Promise<ClientHttp2Session> {
    const { server, certificateAuthority, clientCertificate, clientKey, tlsServerName, insecureSkipTlsVerify } =
      this.#config
    return new Promise((resolve, reject) => {
      const session = connect(new URL(server).origin, {
        ...(certificateAuthority === undefined ? {} : { ca: certificateAuthority }),
        ...(clientCertificate === undefined ? {} : { cert: clientCertificate }),
        ...(clientKey === undefined ? {} : { key: clientKey }),
        ...(tlsServerName === undefined ? {} : { servername: tlsServerName }),
        ...(insecureSkipTlsVerify === true ? { rejectUnauthorized: false } : {}),
        settings: { initialWindowSize: WINDOW_BYTES },
      })
      session.once('error', reject)
      session.once('connect', () => {
        session.setLocalWindowSize(WINDOW_BYTES * 4)
        session.on('error', () => {}) // Each stream of the session reports it to its own reader.
        resolve(session)
      })
    })
  }

  /** Pings until the session ends; one that does not answer is destroyed, which ends its watches. */
  #watchOver(session: ClientHttp2Session): void {
    const clock = this.#clock
    let timer: Timer
    const sendPing = (): void => {
      if (session.destroyed || session.closed) return
      const unanswered = new Error('the API server does not answer')
      timer = clock.setTimer(PING_TIMEOUT_MS, () => session.destroy(unanswered, constants.NGHTTP2_NO_ERROR))
      session.ping((error) => {
        timer.cancel()
        if (error === null) timer = clock.setTimer(PING_MS, sendPing)
      })
    }
    timer = clock.setTimer(PING_MS, sendPing)
    session.once('close', () => timer.cancel())
  }
}

function statusOf(stream: ClientHttp2Stream, signal: AbortSignal | undefined): Promise<number> {
  return new Promise((resolve, reject) => {
    stream.once('response', (headers) => resolve(headers[':status'] ?? 0))
    stream.once('error', (error) => reject(signal?.aborted ? signal.reason : error))
    stream.once('close', () => reject(new Error('the API server closed the connection before it answered')))
  })
}

/** The Status that the server sent, or one made of what something in between said. */
function errorOf(code: number, text: string): StatusError {
  try {
    const status = JSON.parse(text) as Status
    if (status.kind === 'Status') return StatusError.fromStatus(status)
  } catch {
    // Not from an API server: a proxy's page, perhaps.
  }
  return new StatusError({
    code,
    reason: '',
    message: text.trim() === '' ? `the server answered ${code}` : text.trim(),
  })
}

/** Paths such as /healthz answer plain text. */
function parseAnswer(text: string): unknown {
  if (text === '') return null
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

const NEWLINE = 0x0a

/** Cuts a stream of bytes into lines; bytes are joined only once per line. */
class LineSplitter {
  #pending: Buffer[] = []

  push(chunk: Buffer): string[] {
    const lines: string[] = []
    let start = 0
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      this.#pending.push(chunk.subarray(start, end))
      const line = Buffer.concat(this.#pending).toString()
      if (line !== '') lines.push(line)
      this.#pending = []
      start = end + 1
    }
    if (start < chunk.length) this.#pending.push(chunk.subarray(start))
    return lines
  }
}
