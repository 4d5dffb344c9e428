/** Reads CBOR as the JSON text that says the same, and refuses what Kubernetes refuses, in its words. */
import { isUtf8 } from 'node:buffer'

/** Upstream's limits of one value. */
const NESTED_LEVELS_MAX = 10_000
const MAP_PAIRS_MAX = 2_097_152

export class CborError extends Error {}

const BREAK = Symbol('break')

/** Throws CborError. The text holds whole numbers digit by digit. */
export function cborToJson(bytes: Buffer): string {
  if (bytes.length === 0) throw new CborError('EOF')
  const reader = new CborReader(bytes)
  const text = readWhole(reader)
  if (text === BREAK) throw new CborError('cbor: unexpected "break" code')
  const rest = bytes.length - reader.position
  if (rest > 0) throw new CborError(`cbor: ${rest} bytes of extraneous data starting at index ${reader.position}`)
  return text
}

/** Nesting that the stack has no room for is too deep all the more. */
function readWhole(reader: CborReader): string | typeof BREAK {
  try {
    return reader.value(0)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new CborError(`cbor: exceeded max nested level ${NESTED_LEVELS_MAX}`)
  }
}

type Head = { readonly major: number; readonly info: number; readonly argument: number | bigint }

class CborReader {
  readonly #bytes: Buffer
  position = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  value(depth: number): string | typeof BREAK {
    if (depth > NESTED_LEVELS_MAX) throw new CborError(`cbor: exceeded max nested level ${NESTED_LEVELS_MAX}`)
    const head = this.#head()
    switch (head.major) {
      case 0:
        return checkInteger(BigInt(head.argument))
      case 1:
        return checkInteger(-1n - BigInt(head.argument))
      case 2:
      case 3:
        return JSON.stringify(this.#text(head))
      case 4:
        return this.#array(head, depth)
      case 5:
        return this.#map(head, depth)
      case 6:
        return this.#tagged(Number(head.argument), depth)
      default:
        return simple(head, this.#bytes, this.position)
    }
  }

  #head(): Head {
    const first = this.#take(1)[0]!
    const [major, info] = [first >> 5, first & 0x1f]
    if (info < 24) return { major, info, argument: info }
    if (info > 27 && info < 31)
      throw new CborError(`cbor: invalid additional information ${info} for type ${TYPE_NAMES[major]}`)
    if (info === 31) {
      if (major === 0 || major === 1 || major === 6)
        throw new CborError(`cbor: invalid additional information 31 for type ${TYPE_NAMES[major]}`)
      return { major, info, argument: 0 }
    }
    const bytes = this.#take(1 << (info - 24))
    return { major, info, argument: info === 27 ? bytes.readBigUInt64BE() : bytes.readUIntBE(0, bytes.length) }
  }

  #take(count: number): Buffer {
    const end = this.position + count
    if (end > this.#bytes.length) throw new CborError('unexpected EOF')
    const bytes = this.#bytes.subarray(this.position, end)
    this.position = end
    return bytes
  }

  #raw(head: Head): Buffer {
    if (head.info !== INDEFINITE) return this.#take(Number(head.argument))
    const parts: Buffer[] = []
    for (;;) {
      const part = this.#head()
      if (part.major === 7 && part.info === INDEFINITE) return Buffer.concat(parts)
      if (part.major !== head.major || part.info === INDEFINITE)
        throw new CborError(
          `cbor: wrong element type ${TYPE_NAMES[part.major]} for indefinite-length ${TYPE_NAMES[head.major]}`,
        )
      parts.push(this.#take(Number(part.argument)))
    }
  }

  /** A text must be one; bytes that stand for a text are taken for what can be read of them. */
  #text(head: Head): string {
    const bytes = this.#raw(head)
    if (head.major === TEXT && !isUtf8(bytes)) throw new CborError('cbor: invalid UTF-8 string')
    return bytes.toString()
  }

  #array(head: Head, depth: number): string {
    const items: string[] = []
    for (let left = sizeOf(head); left > 0; left--) {
      const item = this.value(depth + 1)
      if (item === BREAK) {
        if (head.info === INDEFINITE) break
        throw new CborError('cbor: unexpected "break" code')
      }
      items.push(item)
    }
    return `[${items.join(',')}]`
  }

  #map(head: Head, depth: number): string {
    const size = sizeOf(head)
    if (size !== Infinity && size > MAP_PAIRS_MAX)
      throw new CborError(`cbor: exceeded max number of key-value pairs ${MAP_PAIRS_MAX} for CBOR map`)
    const keys = new Set<string>()
    const pairs: string[] = []
    for (let index = 0; index < size; index++) {
      const key = this.#key()
      if (key === BREAK) {
        if (head.info === INDEFINITE) break
        throw new CborError('cbor: unexpected "break" code')
      }
      if (keys.has(key))
        throw new CborError(`cbor: found duplicate map key ${goQuote(key)} at map element index ${index}`)
      keys.add(key)
      const value = this.value(depth + 1)
      if (value === BREAK) throw new CborError('cbor: unexpected "break" code')
      pairs.push(`${JSON.stringify(key)}:${value}`)
    }
    return `{${pairs.join(',')}}`
  }

  #key(): string | typeof BREAK {
    const head = this.#head()
    if (head.major === 7 && head.info === INDEFINITE) return BREAK
    if (head.major === 2 || head.major === 3) return this.#text(head)
    throw new CborError(`cbor: cannot unmarshal ${TYPE_NAMES[head.major]} into Go value of type string`)
  }

  #tagged(tag: number, depth: number): string | typeof BREAK {
    const format = TEXT_OF_BYTES[tag]
    if (format !== undefined && this.#bytes[this.position]! >> 5 === 2)
      return JSON.stringify(format(this.#raw(this.#head())))
    if (tag === 2 || tag === 3)
      throw new CborError('cbor: data item of cbor type tag is not accepted by protocol: bignum')
    const value = this.value(depth + 1)
    return tag === 1 && value !== BREAK && /^-?\d/.test(value) ? timeOf(Number(value)) : value
  }
}

const INDEFINITE = 31
const TEXT = 3
const TYPE_NAMES = [
  'positive integer',
  'negative integer',
  'byte string',
  'UTF-8 text string',
  'array',
  'map',
  'tag',
  'primitives',
]

/** Tags that say how bytes are written in JSON. */
const TEXT_OF_BYTES: Readonly<Record<number, (bytes: Buffer) => string>> = {
  21: (bytes) => bytes.toString('base64url'),
  22: (bytes) => bytes.toString('base64'),
  23: (bytes) => bytes.toString('hex'),
}

const sizeOf = ({ info, argument }: Head): number => (info === INDEFINITE ? Infinity : Number(argument))
const goQuote = (text: string): string => JSON.stringify(text)
function timeOf(seconds: number): string {
  const date = new Date(seconds * 1000)
  const year = date.getUTCFullYear()
  if (!(year >= 0 && year <= YEAR_MAX))
    throw new CborError(`${TIME_PROBLEM}: Time.MarshalText: year outside of range [0,${YEAR_MAX}]`)
  return JSON.stringify(date.toISOString().replace(/\.000Z$/, 'Z'))
}

const YEAR_MAX = 9999
const TIME_PROBLEM = 'cbor: decoded time cannot be represented in RFC3339 format with sub-second precision'

function checkInteger(value: bigint): string {
  if (value > 0x7fff_ffff_ffff_ffffn || value < -0x8000_0000_0000_0000n) {
    const type = value < 0n ? TYPE_NAMES[1] : TYPE_NAMES[0]
    throw new CborError(
      `cbor: cannot unmarshal ${type} into Go value of type interface {} (${value} overflows Go's int64)`,
    )
  }
  return String(value)
}

/** False, true, nothing and numbers that are neither infinite nor none. */
function simple({ info, argument }: Head, bytes: Buffer, end: number): string | typeof BREAK {
  if (info === INDEFINITE) return BREAK
  if (info === 20) return 'false'
  if (info === 21) return 'true'
  if (info === 22 || info === 23) return 'null'
  if (info < 25)
    throw new CborError(
      `cbor: data item of cbor type primitives is not accepted by protocol: simple value ${argument} is not recognized`,
    )
  const size = 1 << (info - 24)
  const view = new DataView(bytes.buffer, bytes.byteOffset + end - size, size)
  const value = size === 2 ? view.getFloat16(0) : size === 4 ? view.getFloat32(0) : view.getFloat64(0)
  if (!Number.isFinite(value)) {
    const what = Number.isNaN(value) ? 'NaN' : 'infinity'
    throw new CborError(`cbor: data item of cbor type primitives is not accepted by protocol: floating-point ${what}`)
  }
  return JSON.stringify(value)
}
