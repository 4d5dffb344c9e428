/**
 * Reads and writes DER, the form in which certificates and requests for them are written. As strict as DER is: what could be read in two
 * ways is refused, or else one reader would check what another one does not see.
 */
import assert from 'node:assert'

export const [SEQUENCE, SET, IDENTIFIER, PRINTABLE_STRING, UTF8_STRING] = [0x30, 0x31, 0x06, 0x13, 0x0c] as const
const [LONG_TAG, LONG_LENGTH, LENGTH_BYTES_MAX] = [0x1f, 0x80, 4]

/** The elements that follow each other in some bytes, each with its header. */
export function elementsIn(bytes: Buffer): Buffer[] {
  const elements: Buffer[] = []
  for (let at = 0; at < bytes.length;) {
    const { end } = extentOf(bytes, at)
    elements.push(bytes.subarray(at, end))
    at = end
  }
  return elements
}

/** Of an element that must be of this kind, if one is given. Throws when more follows. */
export function contentOf(element: Buffer, tag?: number): Buffer {
  const { start, end } = extentOf(element, 0)
  assert(end === element.length, 'something follows the element')
  assert(tag === undefined || tagOf(element) === tag, `the element is of kind ${tagOf(element)}, not ${tag}`)
  return element.subarray(start, end)
}

export const tagOf = (element: Buffer): number => element.readUInt8(0)

/** An object identifier's bytes in hexadecimal form. Its numbers may have no leading zeros: they could be written in many ways. */
export function identifierOf(element: Buffer): string {
  const bytes = contentOf(element, IDENTIFIER)
  assert(bytes.length > 0 && bytes.at(-1)! < 0x80, 'the object identifier has no end')
  const isPadded = bytes.some((byte, index) => byte === 0x80 && (index === 0 || bytes[index - 1]! < 0x80))
  assert(!isPadded, 'the object identifier is padded')
  return bytes.toString('hex')
}

export function encodeElement(tag: number, ...contents: readonly Buffer[]): Buffer {
  const content = Buffer.concat(contents)
  if (content.length < LONG_LENGTH) return Buffer.concat([Buffer.from([tag, content.length]), content])
  const digits = content.length.toString(16)
  const length = Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex')
  return Buffer.concat([Buffer.from([tag, LONG_LENGTH | length.length]), length, content])
}

/** Lengths below 128 take one byte; longer ones say first how many bytes they take. */
function extentOf(bytes: Buffer, at: number): { readonly start: number; readonly end: number } {
  assert((bytes.readUInt8(at) & LONG_TAG) !== LONG_TAG, 'kinds of several bytes are not known')
  const first = bytes.readUInt8(at + 1)
  const count = first < LONG_LENGTH ? 0 : first - LONG_LENGTH
  assert(first !== LONG_LENGTH && count <= LENGTH_BYTES_MAX, 'the length is of another form')
  const length = count === 0 ? first : bytes.readUIntBE(at + 2, count)
  assert(count === 0 || length >= Math.max(LONG_LENGTH, 256 ** (count - 1)), 'the length is padded')
  const start = at + 2 + count
  assert(start + length <= bytes.length, 'the element is cut off')
  return { start, end: start + length }
}
