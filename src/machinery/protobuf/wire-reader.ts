/** Reads the fields of one protobuf message, and refuses in the words of Go's decoders what is none. */
import { badRequest } from '../status-error.ts'

export const WIRE = { varint: 0, fixed64: 1, bytes: 2, startGroup: 3, endGroup: 4, fixed32: 5 } as const

/** No object is as deep; a body that is would exhaust the stack. */
const DEPTH_MAX = 1000
/** So many bytes of a varint fit a number that bit operators take. */
const SMALL_BYTES_MAX = 4

export type Tag = { readonly number: number; readonly wire: number }

export class WireReader {
  readonly #bytes: Buffer
  /** Go's name of the message, which refusals mention. */
  readonly #typeName: string
  readonly #depth: number
  #position = 0

  constructor(bytes: Buffer, typeName: string, depth = 0) {
    if (depth > DEPTH_MAX) throw badRequest('proto: exceeded max depth')
    this.#bytes = bytes
    this.#typeName = typeName
    this.#depth = depth
  }

  get isAtEnd(): boolean {
    return this.#position >= this.#bytes.length
  }

  /** Number and wire type of the next field. */
  tag(): Tag {
    const tag = this.#smallVarint()
    const { number, wire } = tag === null ? longTag(this.varint()) : { number: tag >>> 3, wire: tag & 7 }
    if (wire === WIRE.endGroup) throw badRequest(`proto: ${this.#typeName}: wiretype end group for non-group`)
    if (number <= 0) throw badRequest(`proto: ${this.#typeName}: illegal tag ${number} (wire type ${wire})`)
    return { number, wire }
  }

  varint(): bigint {
    const small = this.#smallVarint()
    if (small !== null) return BigInt(small)
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

  /** A varint as a number, which may have less digits than it. */
  integer(): number {
    return this.#smallVarint() ?? Number(this.varint())
  }

  bytes(): Buffer {
    const start = this.#advance(this.#length())
    return this.#bytes.subarray(start, this.#position)
  }

  text(): string {
    const start = this.#advance(this.#length())
    // Views of a buffer are dear, and short texts are many.
    return this.#bytes.toString('utf8', start, this.#position)
  }

  /** The message that is the next value. */
  message(typeName: string): WireReader {
    return new WireReader(this.bytes(), typeName, this.#depth + 1)
  }

  double(): number {
    return this.#bytes.readDoubleLE(this.#advance(8))
  }

  /** A group ends with a tag of its own; groups may hold groups. */
  skip(wire: number): void {
    let groups = 0
    for (let next = wire; ; next = Number(this.varint() & 7n)) {
      if (next === WIRE.startGroup) groups++
      else if (next === WIRE.endGroup) groups--
      else this.#skipValue(next)
      if (groups === 0) return
    }
  }

  #skipValue(wire: number): void {
    if (wire === WIRE.varint) this.integer()
    else if (wire === WIRE.fixed64) this.#advance(8)
    else if (wire === WIRE.bytes) this.#advance(this.#length())
    else if (wire === WIRE.fixed32) this.#advance(4)
    else throw badRequest(`proto: illegal wireType ${wire}`)
  }

  /** Nearly all varints are short, and BigInts are slow. Null, with nothing read, for a long one. */
  #smallVarint(): number | null {
    let result = 0
    for (let index = 0; index < SMALL_BYTES_MAX; index++) {
      const byte = this.#bytes[this.#position + index]
      if (byte === undefined) return null
      result |= (byte & 0x7f) << (7 * index)
      if (byte < 0x80) {
        this.#position += index + 1
        return result
      }
    }
    return null
  }

  #length(): number {
    const length = this.integer()
    if (length < 0) throw badRequest('proto: negative length found during unmarshaling')
    return length
  }

  /** Answers where the bytes begin that are passed over. */
  #advance(length: number): number {
    const start = this.#position
    if (start + length > this.#bytes.length) throw truncated()
    this.#position += length
    return start
  }
}

/** Throws StatusError 400 where a field is not of the wire type that its type has. `field` is Go's name. */
export function expectWire({ wire }: Tag, expected: number, field: string): void {
  if (wire !== expected) throw badRequest(`proto: wrong wireType = ${wire} for field ${field}`)
}

const longTag = (tag: bigint): Tag => ({ number: Number(BigInt.asIntN(32, tag >> 3n)), wire: Number(tag & 7n) })

const truncated = (): Error => badRequest('unexpected EOF')
