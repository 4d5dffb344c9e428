/** Reads DER, the form in which certificates and requests for them are written. */

/** The elements that follow each other in some bytes, each with its header. */
export function elementsIn(bytes: Buffer): Buffer[] {
  const elements: Buffer[] = []
  for (let at = 0; at < bytes.length;) {
    const end = contentStart(bytes, at) + contentLength(bytes, at)
    elements.push(bytes.subarray(at, end))
    at = end
  }
  return elements
}

export const contentOf = (element: Buffer): Buffer => element.subarray(contentStart(element, 0))

/** Lengths below 128 take one byte; longer ones say first how many bytes they take. */
export function contentStart(bytes: Buffer, at: number): number {
  const first = bytes.readUInt8(at + 1)
  return at + 2 + (first < 0x80 ? 0 : first & 0x7f)
}

function contentLength(bytes: Buffer, at: number): number {
  const first = bytes.readUInt8(at + 1)
  return first < 0x80 ? first : bytes.readUIntBE(at + 2, first & 0x7f)
}
