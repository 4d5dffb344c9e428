/** Certificate requests with any subject, also such as no honest program writes. */
import { generateKeyPairSync, sign } from 'node:crypto'
import { encodeElement, IDENTIFIER, SEQUENCE, SET, UTF8_STRING } from './der.ts'

const [ECDSA_WITH_SHA256, BIT_STRING] = ['2a8648ce3d040302', 0x03]
const VERSION = Buffer.from('020100', 'hex')

const identifier = (hex: string): Buffer => encodeElement(IDENTIFIER, Buffer.from(hex, 'hex'))

export const textOf = (text: string): Buffer => encodeElement(UTF8_STRING, Buffer.from(text))

/** One attribute of a subject; `type` is the identifier's bytes in hexadecimal form. */
export const attributeOf = (type: string, ...values: readonly Buffer[]): Buffer =>
  encodeElement(SET, encodeElement(SEQUENCE, identifier(type), ...values))

/** PEM text in base64, signed with a key of its own. `attributes`: those of the request, not of the subject. */
export function requestOf(subject: readonly Buffer[], attributes: readonly Buffer[] = []): string {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const key = publicKey.export({ type: 'spki', format: 'der' })
  const info = encodeElement(
    SEQUENCE,
    VERSION,
    encodeElement(SEQUENCE, ...subject),
    key,
    encodeElement(0xa0, ...attributes),
  )
  const signature = encodeElement(BIT_STRING, Buffer.from([0]), sign('sha256', info, privateKey))
  const algorithm = encodeElement(SEQUENCE, identifier(ECDSA_WITH_SHA256))
  const body = encodeElement(SEQUENCE, info, algorithm, signature).toString('base64')
  return Buffer.from(`-----BEGIN CERTIFICATE REQUEST-----\n${body}\n-----END CERTIFICATE REQUEST-----\n`).toString(
    'base64',
  )
}
