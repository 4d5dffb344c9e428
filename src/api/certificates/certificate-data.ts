/** What PEM texts of certificates and certificate requests must hold. */
import assert from 'node:assert'
import { constants, createPublicKey, verify, X509Certificate } from 'node:crypto'
import { contentOf, contentStart, elementsIn } from './der.ts'

export type PemBlock = { readonly type: string; readonly hasHeaders: boolean; readonly der: Buffer }

const BLOCK = /(?<=^|\n)-----BEGIN ([^\n-]+)-----\r?\n([\s\S]*?)-----END \1-----/g

export function pemBlocks(text: string): PemBlock[] {
  return [...text.matchAll(BLOCK)].map(([, type = '', body = '']) => ({
    type,
    hasHeaders: body.includes(':'),
    der: Buffer.from(body, 'base64'),
  }))
}

/** What is wrong with a PKCS#10 request in base64-wrapped PEM, or undefined: form and signature. */
export function requestProblem(base64: string): string | undefined {
  const [block] = pemBlocks(Buffer.from(base64, 'base64').toString('latin1'))
  if (block?.type !== 'CERTIFICATE REQUEST') return 'PEM block type must be CERTIFICATE REQUEST'
  const isSigned = hasOwnSignature(block.der)
  if (isSigned === undefined) return 'x509: malformed certificate request'
  return isSigned ? undefined : 'x509: signature verification failure'
}

/** Whether a PKCS#10 request is signed with its own key; undefined: it is no such request. */
export function hasOwnSignature(der: Buffer): boolean | undefined {
  try {
    return isSignedByItself(der)
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

const SEQUENCE = 0x30

/** CertificationRequest: what is signed (version, subject, public key, attributes), algorithm, signature. */
function isSignedByItself(der: Buffer): boolean {
  assert.equal(der.readUInt8(0), SEQUENCE)
  const [signed, algorithm, signature] = elementsIn(der.subarray(contentStart(der, 0)))
  const [, , publicKey] = elementsIn(contentOf(signed!))
  const [identifier] = elementsIn(contentOf(algorithm!))
  const rule = HASHES[contentOf(identifier!).toString('hex')]
  if (rule === undefined) return false
  const key = createPublicKey({ key: publicKey!, format: 'der', type: 'spki' })
  const padding = rule.pss === true ? { padding: constants.RSA_PKCS1_PSS_PADDING } : {}
  // The first byte of a bit string counts unused bits.
  return verify(rule.hash, signed!, { key, ...padding }, contentOf(signature!).subarray(1))
}

/** `2.5.4.10`, the organization of a distinguished name. */
const ORGANIZATION = '55040a'

/** The organizations (groups) that the subject of a request names. */
export function organizationsOf(base64: string): string[] {
  const [block] = pemBlocks(Buffer.from(base64, 'base64').toString('latin1'))
  if (block === undefined) return []
  const [signed] = elementsIn(contentOf(block.der))
  const [, subject] = elementsIn(contentOf(signed!))
  const parts = elementsIn(contentOf(subject!)).flatMap((set) => elementsIn(contentOf(set)))
  return parts.flatMap((part) => {
    const [type, value] = elementsIn(contentOf(part))
    return contentOf(type!).toString('hex') === ORGANIZATION ? [contentOf(value!).toString('utf8')] : []
  })
}
