/** What PEM texts of certificates and certificate requests must hold. */
import { constants, createPublicKey, type KeyObject, verify, X509Certificate } from 'node:crypto'
import { contentOf, elementsIn, identifierOf, SEQUENCE } from './der.ts'

export type PemBlock = { readonly type: string; readonly hasHeaders: boolean; readonly der: Buffer }

const BLOCK = /(?<=^|\n)-----BEGIN ([^\n-]+)-----\r?\n([\s\S]*?)-----END \1-----/g

export function pemBlocks(text: string): PemBlock[] {
  return [...text.matchAll(BLOCK)].map(([, type = '', body = '']) => ({
    type,
    hasHeaders: body.includes(':'),
    der: Buffer.from(body, 'base64'),
  }))
}

/** Whether a PKCS#10 request is signed with its own key; undefined: it is no such request. */
export function hasOwnSignature(der: Buffer): boolean | undefined {
  try {
    return isSignedByItself(der)
  } catch {
    return undefined
  }
}

/** The key of a PKCS#10 request or (`spki`) a key by itself, in DER form; undefined: there is none that can be read. */
export function publicKeyIn(der: Buffer, form: 'request' | 'spki'): KeyObject | undefined {
  try {
    const key = form === 'spki' ? der : elementsIn(contentOf(elementsIn(contentOf(der, SEQUENCE))[0]!, SEQUENCE))[2]!
    contentOf(key, SEQUENCE)
    return createPublicKey({ key, format: 'der', type: 'spki' })
  } catch {
    return undefined
  }
}

/** What is wrong with a chain of issued certificates in base64-wrapped PEM, or undefined. */
export function certificateProblem(base64: string): string | undefined {
  if (base64 === '') return undefined
  const blocks = pemBlocks(Buffer.from(base64, 'base64').toString('latin1'))
  for (const { type, hasHeaders, der } of blocks) {
    if (type !== 'CERTIFICATE') return `only CERTIFICATE PEM blocks are allowed, found ${JSON.stringify(type)}`
    if (hasHeaders) return 'no PEM block headers are permitted'
    if (der.length === 0) return 'found CERTIFICATE PEM block containing 0 certificates'
    if (!isCertificate(der)) return 'x509: malformed certificate'
  }
  return blocks.length === 0 ? 'must contain at least one CERTIFICATE PEM block' : undefined
}

function isCertificate(der: Buffer): boolean {
  try {
    return new X509Certificate(der).raw.length > 0
  } catch {
    return false
  }
}

/** Hash of each signature algorithm, by the DER form of its identifier; null: the algorithm has its own. */
const HASHES: Readonly<Record<string, { readonly hash: string | null; readonly pss?: true }>> = {
  '2a864886f70d01010b': { hash: 'sha256' },
  '2a864886f70d01010c': { hash: 'sha384' },
  '2a864886f70d01010d': { hash: 'sha512' },
  '2a864886f70d01010a': { hash: 'sha256', pss: true },
  '2a8648ce3d040302': { hash: 'sha256' },
  '2a8648ce3d040303': { hash: 'sha384' },
  '2a8648ce3d040304': { hash: 'sha512' },
  '2b6570': { hash: null },
}

/** CertificationRequest: what is signed (version, subject, public key, attributes), algorithm, signature. */
function isSignedByItself(der: Buffer): boolean {
  const [signed, algorithm, signature] = elementsIn(contentOf(der, SEQUENCE))
  const [, , publicKey] = elementsIn(contentOf(signed!, SEQUENCE))
  const [identifier] = elementsIn(contentOf(algorithm!, SEQUENCE))
  const rule = HASHES[identifierOf(identifier!)]
  if (rule === undefined) return false
  const key = createPublicKey({ key: publicKey!, format: 'der', type: 'spki' })
  const padding = rule.pss === true ? { padding: constants.RSA_PKCS1_PSS_PADDING } : {}
  // The first byte of a bit string counts unused bits.
  return verify(rule.hash, signed!, { key, ...padding }, contentOf(signature!).subarray(1))
}
