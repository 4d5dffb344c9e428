/** Writes protobuf from its end to its start, so that each length is known when it is written, without a second pass. */
import { WIRE } from './wire-reader.ts'

/** Fits most objects; larger ones double it. */
const INITIAL_BYTES = 8 * 1024
/** A writer that had to grow beyond is not kept for the next object. */
const KEPT_BYTES_MAX = 1024 * 1024

let idle: WireWriter | null = null

/** The bytes that `write` puts down. */
export function writeBytes(write: (writer: WireWriter) => void): Buffer {
  const writer = idle ?? new WireWriter()
  // One that an error left half-written, or that is at it, is not taken again.
  idle = null
  write(writer)
  const bytes = writer.take()
  if (writer.capacity <= KEPT_BYTES_MAX) idle = writer
  return bytes
}

export class WireWriter {
  #buffer = Buffer.allocUnsafe(INITIAL_BYTES)
  /** Where the written part begins. */
  #start = INITIAL_BYTES

  get length(): number {
    return this.#buffer.length - this.#start
  }

  get capacity(): number {
    return this.#buffer.length
  }

  /** What was written, as bytes of its own; the writer is empty again. */
  take(): Buffer {
    const bytes = Buffer.from(this.#buffer.subarray(this.#start))
    this.#start = this.#buffer.length
    return bytes
  }

  /** A field whose content `write` puts down: a message, a map's entry, a packed list. */
  message(number: number, write: () => void): void {
    const before = this.length
    write()
    this.head(number, this.length - before)
  }

  /** What stands before the content of a field of that many bytes. */
  head(number: number, length: number): void {
    this.#varint(length)
    this.#tag(number, WIRE.bytes)
  }

  text(number: number, text: string): void {
    const size = Buffer.byteLength(text)
    this.#reserve(size)
    this.#start -= size
    this.#buffer.write(text, this.#start)
    this.head(number, size)
  }

  bytes(number: number, bytes: Uint8Array): void {
    this.raw(bytes)
    this.head(number, bytes.length)
  }

  /** Negative numbers take ten bytes, as Go writes them. */
  integer(number: number, value: number): void {
    if (value >= 0 && value <= 0x7fff_ffff) this.#varint(value)
    else this.#longVarint(BigInt.asUintN(64, BigInt(value)))
    this.#tag(number, WIRE.varint)
  }

  double(number: number, value: number): void {
    this.#reserve(8)
    this.#start -= 8
    this.#buffer.writeDoubleLE(value, this.#start)
    this.#tag(number, WIRE.fixed64)
  }

  /** Bytes that are encoded already. */
  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#start -= bytes.length
    this.#buffer.set(bytes, this.#start)
  }

  #tag(number: number, wire: number): void {
    this.#varint((number << 3) | wire)
  }

  #varint(value: number): void {
    let size = 1
    for (let rest = value >>> 7; rest > 0; rest >>>= 7) size++
    this.#reserve(size)
    this.#start -= size
    let [rest, at] = [value, this.#start]
    for (; rest > 0x7f; rest >>>= 7) this.#buffer[at++] = (rest & 0x7f) | 0x80
    this.#buffer[at] = rest
  }

  #longVarint(value: bigint): void {
    const bytes: number[] = []
    let rest = value
    for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
    this.raw(Uint8Array.from([...bytes, Number(rest)]))
  }

  #reserve(size: number): void {
    if (this.#start >= size) return
    const used = this.length
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, used + size))
    this.#buffer.copy(larger, larger.length - used, this.#start)
    this.#start = larger.length - used
    this.#buffer = larger
  }
}
