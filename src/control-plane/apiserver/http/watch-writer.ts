/** Streams watch events: one JSON document a line, whole batches in one write, or one WebSocket message an event. */
import { WebSocketServer, type WebSocket } from 'ws'
import type { Clock } from '#base/clock.ts'
import { internalError, StatusError } from '#machinery/status-error.ts'
import type { ProtobufTypes } from '../protobuf-types.ts'
import type { ServedWatchEvent, WatchStream } from '../request.ts'
import type { Exchange } from './exchange.ts'
import { PROTOBUF } from './negotiation.ts'
import { ClientGoneError, write } from './output.ts'
import { protobufFrame } from './protobuf-writer.ts'
import type { Headers } from './response-writer.ts'

/** Events of a busy moment travel together: other writes of the same turn reach the stream before it is read. */
const MESSAGE_BYTES_MAX = 3 * 1024 * 1024

const PROTOBUF_STREAM = `${PROTOBUF};stream=watch`
const END = Buffer.from('}\n')
const prefixes = new Map<string, Buffer>()

function prefixOf(type: string): Buffer {
  let prefix = prefixes.get(type)
  if (prefix === undefined) prefixes.set(type, (prefix = Buffer.from(`{"type":"${type}","object":`)))
  return prefix
}

type WatchOptions = {
  readonly stream: WatchStream
  readonly clock: Clock
  /** Set when the client wants frames of protobuf. */
  readonly protobufTypes: ProtobufTypes | null
}

export async function writeWatch(
  exchange: Exchange,
  code: number,
  headers: Headers,
  { stream, clock, protobufTypes }: WatchOptions,
): Promise<void> {
  exchange.onClose(() => stream.close())
  try {
    if (exchange.upgrade !== null) return await writeWebSocket(exchange, stream)
    exchange.sendHead(code, {
      ...headers,
      'Content-Type': protobufTypes === null ? 'application/json' : PROTOBUF_STREAM,
    })
    flushHead(exchange)
    for await (const events of batches(stream, clock))
      await write(exchange.output, protobufTypes === null ? frame(events) : protobufFrames(events, protobufTypes))
    exchange.output.end()
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

function frame(events: readonly ServedWatchEvent[]): Buffer {
  const parts: Buffer[] = []
  for (const event of events) parts.push(prefixOf(event.type), event.bytes, END)
  return Buffer.concat(parts)
}

function protobufFrames(events: readonly ServedWatchEvent[], types: ProtobufTypes): Buffer {
  return Buffer.concat(events.map((event) => protobufFrame(event, types)))
}

/** The names by which clients choose text or base64 frames; without one, text. */
const BASE64_PROTOCOL = 'base64.binary.k8s.io'
const WEBSOCKET_PROTOCOLS = ['', 'binary.k8s.io', BASE64_PROTOCOL]

async function writeWebSocket(exchange: Exchange, stream: WatchStream): Promise<void> {
  const { request: incoming, socket, head } = exchange.upgrade!
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: MESSAGE_BYTES_MAX,
    handleProtocols: (offered) => [...offered].find((name) => WEBSOCKET_PROTOCOLS.includes(name)) ?? false,
  })
  const webSocket = await new Promise<WebSocket>((resolve) => server.handleUpgrade(incoming, socket, head, resolve))
  webSocket.on('error', () => stream.close())
  webSocket.on('close', () => stream.close())
  while (webSocket.readyState === webSocket.OPEN) {
    const events = await stream.next()
    if (events === null) break
    for (const event of events) await sendMessage(webSocket, frame([event]))
  }
  webSocket.close(1000)
}

function sendMessage(webSocket: WebSocket, bytes: Buffer): Promise<void> {
  const text = webSocket.protocol === BASE64_PROTOCOL ? bytes.toString('base64') : bytes.toString()
  return new Promise((resolve, reject) =>
    webSocket.send(text, (error) => (error ? reject(new ClientGoneError()) : resolve())),
  )
}
