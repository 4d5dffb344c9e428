/** What a PKCS#10 certificate request asks for: a subject and the names that it shall stand for. */
import assert from 'node:assert'
import { hasOwnSignature, pemBlocks } from './certificate-data.ts'
import { contentOf, elementsIn, identifierOf, SEQUENCE, SET, tagOf } from './der.ts'
import { asciiOf, parseSubject, type Subject } from './subject.ts'

export type RequestedNames = {
  readonly subject: Subject
  readonly dnsNames: readonly string[]
  readonly ipAddresses: readonly string[]
  readonly emailAddresses: readonly string[]
  readonly uris: readonly string[]
}

/** Object identifiers, in their DER form. */
const [EXTENSION_REQUEST, ALTERNATIVE_NAME] = ['2a864886f70d01090e', '551d11']
const [OCTETS, ATTRIBUTES] = [0x04, 0xa0]
/** Kinds of alternative names, by their tags. */
const [EMAIL, DNS, URI, IP] = [0x81, 0x82, 0x86, 0x87]
const IP_BYTES = [4, 16]

/** What is wrong with a request in base64-wrapped PEM, or undefined: form and signature. */
export function requestProblem(base64: string): string | undefined {
  const block = blockOf(base64)
  if (block === null) return 'PEM block type must be CERTIFICATE REQUEST'
  if (!isReadable(block)) return 'x509: malformed certificate request'
  return hasOwnSignature(block) === true ? undefined : 'x509: signature verification failure'
}

function isReadable(der: Buffer): boolean {
  try {
    parseDer(der)
    return hasOwnSignature(der) !== undefined
  } catch {
    return false
  }
}

/** Throws for what is no request. `base64` holds PEM text, as `spec.request` does. */
export function parseRequest(base64: string): RequestedNames {
  const block = blockOf(base64)
  assert(block !== null, 'PEM block type must be CERTIFICATE REQUEST')
  return parseDer(block)
}

function blockOf(base64: string): Buffer | null {
  const [block] = pemBlocks(Buffer.from(base64, 'base64').toString('latin1'))
  return block?.type === 'CERTIFICATE REQUEST' ? block.der : null
}

function parseDer(der: Buffer): RequestedNames {
  const [info] = elementsIn(contentOf(der, SEQUENCE))
  const [, subject, , attributes] = elementsIn(contentOf(info!, SEQUENCE))
  const names = attributes === undefined ? [] : alternativeNames(contentOf(attributes, ATTRIBUTES))
  const namesOf = (tag: number): Buffer[] => names.filter((name) => tagOf(name) === tag).map((name) => contentOf(name))
  return {
    subject: parseSubject(subject!),
    dnsNames: namesOf(DNS).map(asciiOf),
    ipAddresses: namesOf(IP).map(formatAddress),
    emailAddresses: namesOf(EMAIL).map(asciiOf),
    uris: namesOf(URI).map(asciiOf),
  }
}

/** A sequence that begins with an identifier and ends with a value. */
function pairOf(element: Buffer): { readonly type: string; readonly value: Buffer } {
  const elements = elementsIn(contentOf(element, SEQUENCE))
  assert(elements.length > 1, 'the identifier has no value')
  return { type: identifierOf(elements[0]!), value: elements.at(-1)! }
}

function alternativeNames(attributes: Buffer): Buffer[] {
  const wanted = elementsIn(attributes)
    .map(pairOf)
    .filter(({ type }) => type === EXTENSION_REQUEST)
  const extensions = wanted.flatMap(({ value }) =>
    elementsIn(contentOf(value, SET)).flatMap((all) => elementsIn(contentOf(all, SEQUENCE)).map(pairOf)),
  )
  assert(new Set(extensions.map(({ type }) => type)).size === extensions.length, 'an extension is requested twice')
  return extensions
    .filter(({ type }) => type === ALTERNATIVE_NAME)
    .flatMap(({ value }) => elementsIn(contentOf(contentOf(value, OCTETS), SEQUENCE)))
}

function formatAddress(bytes: Buffer): string {
  assert(IP_BYTES.includes(bytes.length), `cannot parse IP address of length ${bytes.length}`)
  if (bytes.length === 4) return bytes.join('.')
  const groups = Array.from({ length: bytes.length / 2 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16))
  return groups.join(':')
}
