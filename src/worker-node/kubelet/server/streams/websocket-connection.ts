/** The server's side of a WebSocket: handshake, frames, ping, close. Unlike a library it takes subprotocol names with a slash, as kubectl sends. */
import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'

const MAGIC = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
const OP_CONTINUATION = 0
const OP_TEXT = 1
const OP_BINARY = 2
const OP_CLOSE = 8
const OP_PING = 9
const OP_PONG = 10
/** A client that sends more in one message is not one of Kubernetes'. */
const MESSAGE_BYTES_MAX = 32 * 2 ** 20

export const isWebSocketRequest = (request: IncomingMessage): boolean =>
  request.headers.upgrade?.toLowerCase() === 'websocket'

export function requestedProtocols(request: IncomingMessage): string[] {
  const header = request.headers['sec-websocket-protocol'] ?? ''
  return header
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
}

/** Answers the handshake; `protocol` is empty when the client named none. */
export function acceptWebSocket(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  protocol: string,
): WebSocketConnection {
  const key = request.headers['sec-websocket-key'] ?? ''
  const accept = createHash('sha1')
    .update(key + MAGIC)
    .digest('base64')
  const lines = [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${accept}`,
    ...(protocol === '' ? [] : [`Sec-WebSocket-Protocol: ${protocol}`]),
  ]
  socket.write(`${lines.join('\r\n')}\r\n\r\n`)
  return new WebSocketConnection(socket, head)
}

export class WebSocketConnection {
  readonly #socket: Duplex
  readonly #head: Buffer
  #isClosing = false

  constructor(socket: Duplex, head: Buffer) {
    this.#socket = socket
    this.#head = head
  }

  /** Whole messages until either side closes. A slow reader holds back the connection. */
  async *messages(): AsyncGenerator<Buffer, void, undefined> {
    let pending = this.#head
    const parts: Buffer[] = []
    for (;;) {
      for (let frame = parseFrame(pending); frame; frame = parseFrame(pending)) {
        pending = pending.subarray(frame.size)
        if (frame.opcode === OP_CLOSE) {
          await this.close()
          return
        }
        if (frame.opcode === OP_PING) await this.#write(OP_PONG, frame.payload)
        if (frame.opcode !== OP_TEXT && frame.opcode !== OP_BINARY && frame.opcode !== OP_CONTINUATION) continue
        parts.push(frame.payload)
        if (frame.isFinal) yield Buffer.concat(parts.splice(0))
      }
      const chunk = await nextChunk(this.#socket)
      if (chunk === null) return
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
      if (pending.length > MESSAGE_BYTES_MAX) throw new Error('WebSocket message is too long')
    }
  }

  /** Resolves when the connection takes more. */
  send(data: Buffer, kind: 'binary' | 'text' = 'binary'): Promise<void> {
    return this.#write(kind === 'text' ? OP_TEXT : OP_BINARY, data)
  }

  async close(code = 1000, reason = ''): Promise<void> {
    if (this.#isClosing) return
    this.#isClosing = true
    const payload = Buffer.alloc(2)
    payload.writeUInt16BE(code)
    await this.#write(OP_CLOSE, Buffer.concat([payload, Buffer.from(reason)])).catch(() => {}) // Gone already.
    this.#socket.end()
  }

  #write(opcode: number, payload: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#socket.destroyed || this.#socket.writableEnded) {
        reject(new Error('the connection is closed'))
        return
      }
      this.#socket.write(frameHeader(opcode, payload.length))
      this.#socket.write(payload, (error) => (error ? reject(error) : resolve()))
    })
  }
}

async function nextChunk(socket: Duplex): Promise<Buffer | null> {
  for (;;) {
    const chunk = socket.read() as Buffer | null
    if (chunk !== null) return chunk
    if (socket.readableEnded || socket.destroyed) return null
    await new Promise<void>((resolve) => {
      const done = (): void => {
        for (const event of ['readable', 'end', 'close', 'error']) socket.off(event, done)
        resolve()
      }
      for (const event of ['readable', 'end', 'close', 'error']) socket.on(event, done)
    })
  }
}

type Frame = { readonly opcode: number; readonly isFinal: boolean; readonly payload: Buffer; readonly size: number }

/** Null while the frame is not whole. */
export function parseFrame(buffer: Buffer): Frame | null {
  if (buffer.length < 2) return null
  const short = buffer[1]! & 0x7f
  const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0
  const isMasked = (buffer[1]! & 0x80) !== 0
  const start = 2 + lengthBytes + (isMasked ? 4 : 0)
  if (buffer.length < start) return null
  const length =
    lengthBytes === 0 ? short : lengthBytes === 2 ? buffer.readUInt16BE(2) : Number(buffer.readBigUInt64BE(2))
  if (buffer.length < start + length) return null
  const payload = Buffer.from(buffer.subarray(start, start + length))
  if (isMasked) {
    const mask = buffer.subarray(start - 4, start)
    for (let index = 0; index < payload.length; index++) payload[index]! ^= mask[index & 3]!
  }
  return { opcode: buffer[0]! & 0x0f, isFinal: (buffer[0]! & 0x80) !== 0, payload, size: start + length }
}

function frameHeader(opcode: number, length: number): Buffer {
  const first = 0x80 | opcode
  if (length < 126) return Buffer.from([first, length])
  const header = Buffer.alloc(length < 0x10000 ? 4 : 10)
  header[0] = first
  header[1] = length < 0x10000 ? 126 : 127
  if (length < 0x10000) header.writeUInt16BE(length, 2)
  else header.writeBigUInt64BE(BigInt(length), 2)
  return header
}
