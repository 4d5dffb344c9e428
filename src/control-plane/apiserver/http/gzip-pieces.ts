/** One gzip stream made of pieces that can each be read at once, without a compressor that is kept between them. */
import { promisify } from 'node:util'
import { constants, crc32, deflateRaw } from 'node:zlib'

/** Magic number, deflate, no flags, no time, no hints, unknown system (RFC 1952). */
const HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255])
/** An empty block that is the last one. */
const LAST_BLOCK = [0x03, 0x00]
const TRAILER_BYTES = 8
const deflate = promisify(deflateRaw)

/** Single events are not worth the work, nor the wait: they go out as they are. A stored block holds up to 65,535 bytes. */
const STORED_BYTES_MAX = 8 * 1024

/** What deflate writes to flush. Go's reader hands out what it has when it meets an empty block, and not before. */
const EMPTY_BLOCK = Buffer.from([0, 0, 0, 0xff, 0xff])

/** A piece ends at a whole byte, so the block's three bits of head are a byte of their own. */
function storedBlock(piece: Buffer): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt16LE(piece.length, 1)
  head.writeUInt16LE(piece.length ^ 0xffff, 3)
  return Buffer.concat([head, piece, EMPTY_BLOCK])
}

/**
 * A member of its own for each piece would be simpler; but Go's reader keeps the end of a member back until the next one begins,
 * and a quiet watch would hold its last event for ever.
 */
export class GzipPieces {
  #crc = 0
  #size = 0
  #begun = false

  /** The next bytes of the stream: who has them can read all of `piece`. One call at a time. */
  async add(piece: Buffer): Promise<Buffer> {
    const isSmall = piece.length <= STORED_BYTES_MAX
    const blocks = isSmall ? storedBlock(piece) : await deflate(piece, { finishFlush: constants.Z_SYNC_FLUSH })
    this.#crc = crc32(piece, this.#crc)
    this.#size += piece.length
    if (this.#begun) return blocks
    this.#begun = true
    return Buffer.concat([HEADER, blocks])
  }

  /** The last bytes: checksum and length of it all. */
  end(): Buffer {
    const head = this.#begun ? [] : [...HEADER]
    const trailer = Buffer.alloc(TRAILER_BYTES)
    trailer.writeUInt32LE(this.#crc >>> 0, 0)
    trailer.writeUInt32LE(this.#size % 2 ** 32, 4)
    return Buffer.concat([Buffer.from([...head, ...LAST_BLOCK]), trailer])
  }
}
