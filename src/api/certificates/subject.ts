/** The subject of a certificate: reads the attributes that the signers of Kubernetes know, and writes a subject of only those. */
import { contentOf, elementsIn, encodeElement, IDENTIFIER, identifierOf } from './der.ts'
import { PRINTABLE_STRING, SEQUENCE, SET, tagOf, UTF8_STRING } from './der.ts'

const [COMMON_NAME, ORGANIZATION, SERIAL_NUMBER] = ['550403', '55040a', '550405']
/** By their identifiers, in the order in which they are written: country, organization, its unit, locality, province, street, postal code … */
const KNOWN = [
  '550406',
  ORGANIZATION,
  '55040b',
  '550407',
  '550408',
  '550409',
  '550411',
  COMMON_NAME,
  SERIAL_NUMBER,
] as const
type Attribute = (typeof KNOWN)[number]

export type Subject = {
  readonly commonName: string
  readonly organizations: readonly string[]
  /** DER of these and the other known attributes, and of nothing else: what was not checked is not signed. */
  readonly der: Buffer
}

export function parseSubject(element: Buffer): Subject {
  const attributes = elementsIn(contentOf(element, SEQUENCE)).flatMap((set) => elementsIn(contentOf(set, SET)))
  const pairs = attributes.map((attribute) => {
    const [type, value, ...more] = elementsIn(contentOf(attribute, SEQUENCE))
    if (type === undefined || value === undefined || more.length > 0) throw new Error('an attribute is a pair')
    return { type: identifierOf(type), value: textOf(value) }
  })
  const valuesOf = (wanted: Attribute): string[] => {
    const values = pairs.flatMap(({ type, value }) => (type === wanted && value !== null ? [value] : []))
    // Of these there is one: the last.
    return wanted === COMMON_NAME || wanted === SERIAL_NUMBER ? values.slice(-1).filter(Boolean) : values
  }
  return {
    commonName: valuesOf(COMMON_NAME)[0] ?? '',
    organizations: valuesOf(ORGANIZATION),
    der: encodeElement(SEQUENCE, ...KNOWN.flatMap((type) => encodeSet(type, valuesOf(type)))),
  }
}

function encodeSet(type: Attribute, values: readonly string[]): Buffer[] {
  if (values.length === 0) return []
  const identifier = encodeElement(IDENTIFIER, Buffer.from(type, 'hex'))
  const pairs = values.map((value) => encodeElement(SEQUENCE, identifier, encodeText(value)))
  return [encodeElement(SET, ...pairs.toSorted(Buffer.compare))]
}

const PRINTABLE = /^[A-Za-z0-9 '()+,\-./:=?]*$/

const encodeText = (text: string): Buffer =>
  encodeElement(PRINTABLE.test(text) ? PRINTABLE_STRING : UTF8_STRING, Buffer.from(text))

const [NUMERIC_STRING, T61_STRING, IA5_STRING, BMP_STRING] = [0x12, 0x14, 0x16, 0x1e]

/** Null for what is no text. Throws for text that is not of its own kind. */
function textOf(value: Buffer): string | null {
  const bytes = contentOf(value)
  switch (tagOf(value)) {
    case UTF8_STRING:
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    case BMP_STRING:
      return new TextDecoder('utf-16be', { fatal: true, ignoreBOM: true }).decode(bytes)
    case T61_STRING:
      return bytes.toString('latin1')
    case PRINTABLE_STRING:
    case NUMERIC_STRING:
    case IA5_STRING:
      return asciiOf(bytes)
    default:
      return null
  }
}

export function asciiOf(bytes: Buffer): string {
  if (bytes.some((byte) => byte > 0x7f)) throw new Error('the text is not ASCII')
  return bytes.toString('latin1')
}
