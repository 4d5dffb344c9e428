/** SPDY/3.1 on an upgraded connection, the part that Kubernetes' streaming uses: streams, data, FIN, ping. */
import type { Duplex } from 'node:stream'
import { constants, createDeflate, type Deflate } from 'node:zlib'
import { SPDY_DICTIONARY } from './spdy-dictionary.ts'

const VERSION = 3
const SYN_STREAM = 1
const RST_STREAM = 3
const PING = 6
const GOAWAY = 7
const FLAG_FIN = 1
/** Larger pieces are cut, so that one stream does not hold up the others. */
const DATA_BYTES_MAX = 64 * 1024

export type SpdyStream = {
  /** Resolves when the connection takes more. */
  write(data: Buffer): Promise<void>
  /** Our side of the stream is at its end (FIN). */
  end(): Promise<void>
  reset(): void
}

export type SpdyStreamHandlers = {
  onData(data: Buffer): Promise<void> | void
  /** The other side is at its end, or the connection is gone. */
  onEnd(): void
}

/** The side that opened the connection: it opens all streams and never looks at the headers of answers. */
export class SpdyClient {
  readonly #socket: Duplex
  readonly #streams = new Map<number, SpdyStreamHandlers>()
  readonly #deflate: Deflate
  /** Headers are compressed by one deflate stream: their order on the wire is the order here. */
  #sending: Promise<void> = Promise.resolve()
  #nextId = 1
  readonly closed: Promise<void>

  constructor(socket: Duplex, head: Buffer) {
    this.#socket = socket
    this.#deflate = createDeflate({ dictionary: SPDY_DICTIONARY, flush: constants.Z_SYNC_FLUSH })
    this.closed = this.#readAll(head)
  }

  async open(headers: Readonly<Record<string, string>>, handlers: SpdyStreamHandlers): Promise<SpdyStream> {
    const id = this.#nextId
    this.#nextId += 2
    this.#streams.set(id, handlers)
    const sent = this.#sending.then(async () => {
      const block = await this.#compress(headers)
      const body = Buffer.alloc(10)
      body.writeUInt32BE(id)
      await this.#write(controlFrame(SYN_STREAM, Buffer.concat([body, block])))
    })
    this.#sending = sent.catch(() => {}) // The opener sees the failure; the next one fails by itself.
    await sent
    return {
      write: (data) => this.#writeData(id, data),
      end: () => this.#write(dataFrame(id, FLAG_FIN, Buffer.alloc(0))),
      reset: () => void this.#write(controlFrame(RST_STREAM, uint32s(id, 5))).catch(() => {}), // Closed anyway.
    }
  }

  close(): void {
    this.#socket.destroy()
  }

  async #writeData(id: number, data: Buffer): Promise<void> {
    for (let start = 0; start < data.length; start += DATA_BYTES_MAX)
      await this.#write(dataFrame(id, 0, data.subarray(start, start + DATA_BYTES_MAX)))
  }

  #write(frame: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#socket.destroyed) {
        reject(new Error('the connection is closed'))
        return
      }
      this.#socket.write(frame, (error) => (error ? reject(error) : resolve()))
    })
  }

  /** Count of pairs, then length and text of each name and value. */
  #compress(headers: Readonly<Record<string, string>>): Promise<Buffer> {
    const pairs = Object.entries(headers)
    const parts = [uint32s(pairs.length)]
    for (const text of pairs.flat()) parts.push(uint32s(Buffer.byteLength(text)), Buffer.from(text))
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = []
      const collect = (chunk: Buffer): number => chunks.push(chunk)
      this.#deflate.on('data', collect)
      this.#deflate.write(Buffer.concat(parts), (error) => {
        this.#deflate.off('data', collect)
        if (error) reject(error)
        else resolve(Buffer.concat(chunks))
      })
    })
  }

  async #readAll(head: Buffer): Promise<void> {
    let pending = head
    try {
      pending = await this.#readFrames(pending)
      for await (const chunk of this.#socket as AsyncIterable<Buffer>)
        pending = await this.#readFrames(pending.length === 0 ? chunk : Buffer.concat([pending, chunk]))
    } catch {
      // A broken connection ends all streams; whoever waits for their end learns it there.
    } finally {
      this.#socket.destroy()
      for (const { onEnd } of this.#streams.values()) onEnd()
      this.#streams.clear()
    }
  }

  /** Handles all whole frames and returns the rest. A slow handler holds back the reading: that is the flow control. */
  async #readFrames(buffer: Buffer): Promise<Buffer> {
    let rest = buffer
    while (rest.length >= 8) {
      const length = rest.readUIntBE(5, 3)
      if (rest.length < 8 + length) break
      await this.#handle(rest.subarray(0, 8), rest.subarray(8, 8 + length))
      rest = rest.subarray(8 + length)
    }
    return rest
  }

  async #handle(header: Buffer, body: Buffer): Promise<void> {
    const word = header.readUInt32BE(0)
    if (word < 0x80000000) {
      const stream = this.#streams.get(word)
      if (body.length > 0) await stream?.onData(body)
      if ((header[4]! & FLAG_FIN) !== 0) this.#finish(word)
      return
    }
    const type = word & 0xffff
    // SYN_REPLY says yes, in headers that nobody needs; SETTINGS and WINDOW_UPDATE bind no one in Kubernetes' streaming.
    if (type === PING) await this.#write(controlFrame(PING, body))
    else if (type === RST_STREAM) this.#finish(body.readUInt32BE(0))
    else if (type === GOAWAY) this.#socket.end()
  }

  #finish(id: number): void {
    const stream = this.#streams.get(id)
    this.#streams.delete(id)
    stream?.onEnd()
  }
}

function controlFrame(type: number, body: Buffer): Buffer {
  const header = Buffer.alloc(8)
  header.writeUInt16BE(0x8000 | VERSION, 0)
  header.writeUInt16BE(type, 2)
  header.writeUIntBE(body.length, 5, 3)
  return Buffer.concat([header, body])
}

function dataFrame(id: number, flags: number, body: Buffer): Buffer {
  const header = Buffer.alloc(8)
  header.writeUInt32BE(id, 0)
  header[4] = flags
  header.writeUIntBE(body.length, 5, 3)
  return Buffer.concat([header, body])
}

function uint32s(...values: readonly number[]): Buffer {
  const buffer = Buffer.alloc(4 * values.length)
  for (const [index, value] of values.entries()) buffer.writeUInt32BE(value, 4 * index)
  return buffer
}
