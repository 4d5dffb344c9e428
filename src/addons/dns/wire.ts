/** Writes an answer onto the wire so that it fits: names are shortened, and what is left over is cut and marked. */
import { encode, TRUNCATED_RESPONSE, type Packet } from 'dns-packet'

const HEADER_BYTES = 12
/** Points to the name right behind the header: that of the question. */
const QUESTION_POINTER = Buffer.from([0xc0, HEADER_BYTES])
/** Type, class, TTL and length of a record, between its name and its data. */
const RECORD_FIELDS_BYTES = 10
const ROOT = 0

/** At most `bytesMax`. Additional records go first and unmarked; a cut answer keeps as many records as fit, for clients without TCP. */
export function encodeWithin(packet: Packet, bytesMax: number): Buffer {
  const whole = encodeShort(packet)
  if (whole.length <= bytesMax) return whole
  const options = packet.additionals?.filter((additional) => additional.type === 'OPT') ?? []
  const bare = encodeShort({ ...packet, additionals: options })
  if (bare.length <= bytesMax) return bare
  const answers = packet.answers ?? []
  const cut = (count: number): Buffer =>
    encodeShort({
      ...packet,
      flags: (packet.flags ?? 0) | TRUNCATED_RESPONSE,
      answers: answers.slice(0, count),
      authorities: [],
      additionals: options,
    })
  let [fits, tooMany] = [0, answers.length + 1]
  while (tooMany - fits > 1) {
    const middle = (fits + tooMany) >> 1
    if (cut(middle).length <= bytesMax) fits = middle
    else tooMany = middle
  }
  return cut(fits)
}

/** Records that are named like the question point to it: 2 bytes instead of the whole name. */
export function encodeShort(packet: Packet): Buffer {
  const bytes = encode(packet)
  if ((packet.questions ?? []).length !== 1) return bytes
  const name = bytes.subarray(HEADER_BYTES, endOfName(bytes, HEADER_BYTES))
  if (name.length <= QUESTION_POINTER.length) return bytes
  let offset = HEADER_BYTES + name.length + 4
  const parts = [bytes.subarray(0, offset)]
  while (offset < bytes.length) {
    const nameEnd = endOfName(bytes, offset)
    const end = nameEnd + RECORD_FIELDS_BYTES + bytes.readUInt16BE(nameEnd + RECORD_FIELDS_BYTES - 2)
    const isQuestions = bytes.subarray(offset, nameEnd).equals(name)
    parts.push(isQuestions ? QUESTION_POINTER : bytes.subarray(offset, nameEnd), bytes.subarray(nameEnd, end))
    offset = end
  }
  return Buffer.concat(parts)
}

/** The encoder writes every name in full: labels with their lengths in front, ended by the root. */
function endOfName(bytes: Buffer, start: number): number {
  let offset = start
  while (bytes[offset] !== ROOT) offset += 1 + bytes[offset]!
  return offset + 1
}
