/** What a PKCS#10 certificate request asks for: a subject and the names that it shall stand for. */
import assert from 'node:assert'
import { pemBlocks } from './certificate-data.ts'
import { contentOf, elementsIn } from './der.ts'

export type RequestedNames = {
  readonly commonName: string
  readonly organizations: readonly string[]
  readonly dnsNames: readonly string[]
  readonly ipAddresses: readonly string[]
  readonly emailAddresses: readonly string[]
  readonly uris: readonly string[]
}

/** Object identifiers, in their DER form. */
const [COMMON_NAME, ORGANIZATION] = ['550403', '55040a']
const [EXTENSION_REQUEST, ALTERNATIVE_NAME] = ['2a864886f70d01090e', '551d11']
/** Kinds of alternative names, by their tags. */
const [EMAIL, DNS, URI, IP] = [0x81, 0x82, 0x86, 0x87]

/** Throws for what is no request. `base64` holds PEM text, as `spec.request` does. */
export function parseRequest(base64: string): RequestedNames {
  const [block] = pemBlocks(Buffer.from(base64, 'base64').toString('latin1'))
  assert(block?.type === 'CERTIFICATE REQUEST', 'PEM block type must be CERTIFICATE REQUEST')
  const [info] = elementsIn(contentOf(block.der))
  const [, subject, , attributes] = elementsIn(contentOf(info!))
  const parts = elementsIn(contentOf(subject!)).flatMap((set) => elementsIn(contentOf(set)).map(pairOf))
  const valuesOf = (type: string): string[] =>
    parts.filter((part) => part.type === type).map(({ value }) => contentOf(value).toString('utf8'))
  const names = attributes === undefined ? [] : alternativeNames(contentOf(attributes))
  const namesOf = (tag: number): Buffer[] => names.filter((name) => name.readUInt8(0) === tag).map(contentOf)
  return {
    commonName: valuesOf(COMMON_NAME).at(-1) ?? '',
    organizations: valuesOf(ORGANIZATION),
    dnsNames: namesOf(DNS).map(String),
    ipAddresses: namesOf(IP).map(formatAddress),
    emailAddresses: namesOf(EMAIL).map(String),
    uris: namesOf(URI).map(String),
  }
}

/** A sequence that begins with an identifier and ends with a value. */
function pairOf(element: Buffer): { readonly type: string; readonly value: Buffer } {
  const elements = elementsIn(contentOf(element))
  return { type: contentOf(elements[0]!).toString('hex'), value: elements.at(-1)! }
}

function alternativeNames(attributes: Buffer): Buffer[] {
  const wanted = elementsIn(attributes)
    .map(pairOf)
    .filter(({ type }) => type === EXTENSION_REQUEST)
  const extensions = wanted.flatMap(({ value }) =>
    elementsIn(contentOf(value)).flatMap((all) => elementsIn(contentOf(all))),
  )
  return extensions
    .map(pairOf)
    .filter(({ type }) => type === ALTERNATIVE_NAME)
    .flatMap(({ value }) => elementsIn(contentOf(elementsIn(contentOf(value))[0]!)))
}

function formatAddress(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.')
  const groups = Array.from({ length: bytes.length / 2 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16))
  return groups.join(':')
}
