/** Reads the fields of one protobuf message. */
import { badRequest } from '../status-error.ts'

export const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const

export class WireReader {
  readonly #bytes: Buffer
  #position = 0
  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get isAtEnd(): boolean {
    return this.#position >= this.#bytes.length
  }

  /** Number and wire type of the next field. */
  tag(): { readonly number: number; readonly wire: number } {
    const tag = Number(this.varint())
    return { number: tag >>> 3, wire: tag & 7 }
  }

  varint(): bigint {
    let [result, shift] = [0n, 0n]
    for (;;) {
      const byte = this.#bytes[this.#position++]
      if (byte === undefined) throw truncated()
      result |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return BigInt.asIntN(64, result)
      shift += 7n
      if (shift > 63n) throw badRequest('proto: integer overflow')
    }
  }

  bytes(): Buffer {
    const length = Number(this.varint())
    if (length < 0) throw badRequest('proto: negative length found during unmarshaling')
    return this.#take(length)
  }

  double(): number {
    return this.#take(8).readDoubleLE()
  }

  skip(wire: number): void {
    if (wire === WIRE.varint) this.varint()
    else if (wire === WIRE.fixed64) this.#take(8)
    else if (wire === WIRE.bytes) this.bytes()
    else if (wire === WIRE.fixed32) this.#take(4)
    else throw badRequest(`proto: illegal wireType ${wire}`)
  }

  #take(length: number): Buffer {
    const end = this.#position + length
    if (end > this.#bytes.length) throw truncated()
    const part = this.#bytes.subarray(this.#position, end)
    this.#position = end
    return part
  }
}

const truncated = (): Error => badRequest('unexpected EOF')
