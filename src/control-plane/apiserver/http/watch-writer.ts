/** Streams watch events: whole batches in one write, or one WebSocket message an event. */
import type { IncomingHttpHeaders } from 'node:http'
import { WebSocketServer, type WebSocket } from 'ws'
import type { Clock } from '#base/clock.ts'
import { internalError, StatusError } from '#machinery/status-error.ts'
import { protocolsWithoutToken } from '../authentication/token-protocol.ts'
import { PlainRefusal } from '../plain-refusal.ts'
import type { ServedWatchEvent, WatchStream } from '../request.ts'
import type { Exchange } from './exchange.ts'
import { GzipPieces } from './gzip-pieces.ts'
import { ClientGoneError, write } from './output.ts'
import type { Headers } from './response-writer.ts'
import type { WatchFraming } from './watch-framing.ts'

/** Events of a busy moment travel together: other writes of the same turn reach the stream before it is read. */
const MESSAGE_BYTES_MAX = 3 * 1024 * 1024

type WatchOptions = {
  readonly stream: WatchStream
  readonly clock: Clock
  readonly framing: WatchFraming
  /** As one gzip stream whose events can be read as they come. */
  readonly compress: boolean
}

export async function writeWatch(
  exchange: Exchange,
  code: number,
  headers: Headers,
  { stream, clock, framing, compress }: WatchOptions,
): Promise<void> {
  exchange.onClose(() => stream.close())
  try {
    if (exchange.upgrade !== null) return await writeWebSocket(exchange, stream, { framing, clock })
    const compression = compress ? { 'Content-Encoding': 'gzip', Vary: 'Accept-Encoding' } : {}
    exchange.sendHead(code, { ...headers, 'Content-Type': framing.contentType, ...compression })
    flushHead(exchange)
    const pieces = compress ? new GzipPieces() : null
    for await (const events of batches(stream, clock)) {
      const bytes = framing.join(events)
      await write(exchange.output, pieces === null ? bytes : await pieces.add(bytes))
    }
    exchange.output.end(pieces?.end())
  } finally {
    stream.close()
  }
}

/** Node keeps an HTTP/1.1 head back until the first byte of the body; the client of a quiet watch waits for it. */
function flushHead(exchange: Exchange): void {
  if ('flushHeaders' in exchange.output) (exchange.output as { flushHeaders(): void }).flushHeaders()
}

async function* batches(stream: WatchStream, clock: Clock): AsyncGenerator<readonly ServedWatchEvent[]> {
  for (;;) {
    let events: readonly ServedWatchEvent[] | null
    try {
      events = await stream.next()
    } catch (error) {
      // The status line is long gone: an error is the last event.
      yield [errorEvent(error)]
      return
    }
    if (events === null) return
    yield events
    await clock.yield()
  }
}

function errorEvent(error: unknown): ServedWatchEvent {
  const status = (error instanceof StatusError ? error : internalError(String(error))).toStatus()
  return { type: 'ERROR', bytes: Buffer.from(JSON.stringify(status)), object: () => status }
}

async function writeWebSocket(
  exchange: Exchange,
  stream: WatchStream,
  { framing, clock }: { readonly framing: WatchFraming; readonly clock: Clock },
): Promise<void> {
  const { request: incoming, socket, head } = exchange.upgrade!
  checkHandshake(incoming.headers)
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: MESSAGE_BYTES_MAX,
    // Whatever a client names is spoken: the name means nothing here.
    handleProtocols: () => protocolsWithoutToken(incoming.headers['sec-websocket-protocol'])[0] ?? false,
  })
  const webSocket = await new Promise<WebSocket>((resolve) => server.handleUpgrade(incoming, socket, head, resolve))
  webSocket.on('error', () => stream.close())
  webSocket.on('close', () => stream.close())
  for await (const events of batches(stream, clock)) {
    if (webSocket.readyState !== webSocket.OPEN) break
    for (const event of events) await sendMessage(webSocket, framing, event)
  }
  webSocket.close(1000)
}

/** Upstream's library wants an origin and at most one protocol, and knows one version. */
function checkHandshake(headers: IncomingHttpHeaders): void {
  if (headers['sec-websocket-version'] !== '13') throw new PlainRefusal(400, 'missing or bad WebSocket Version')
  if (!isOrigin(headers.origin ?? '')) throw new PlainRefusal(403, '')
  if (protocolsWithoutToken(headers['sec-websocket-protocol']).length > 1) throw new PlainRefusal(400, '')
}

const isOrigin = (origin: string): boolean => origin.startsWith('/') || URL.canParse(origin)

function sendMessage(webSocket: WebSocket, { message, isText }: WatchFraming, event: ServedWatchEvent): Promise<void> {
  return new Promise((resolve, reject) =>
    webSocket.send(message(event), { binary: !isText }, (error) => (error ? reject(new ClientGoneError()) : resolve())),
  )
}
