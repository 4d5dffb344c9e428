/** Makes the certificates of a cluster: an authority, and what it signs for servers and clients. All keys are P-256, but for the one of tokens. */
import { createPrivateKey, generateKeyPair, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { promisify } from 'node:util'
import type * as X509 from '@peculiar/x509'
import type { Clock } from '#base/clock.ts'
import { installReflectMetadata } from './reflect-metadata.ts'

/** PEM texts. */
export type KeyPair = { readonly certificate: string; readonly privateKey: string }
export type Authority = KeyPair

export type CertificateRequest = {
  readonly commonName: string
  /** For a client: its groups. */
  readonly organizations?: readonly string[]
  /** DNS names and IP addresses of a server. */
  readonly hosts?: readonly string[]
  readonly usages: readonly ('server' | 'client')[]
  readonly validityMs?: number
}

const DAY_MS = 24 * 3600 * 1000
/** kubeadm's lifetimes. */
const AUTHORITY_VALIDITY_MS = 10 * 365 * DAY_MS
const CERTIFICATE_VALIDITY_MS = 365 * DAY_MS
/** Certificates are good a little before they are made: clocks of machines differ. */
const BACKDATE_MS = 5 * 60 * 1000

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const

let library: Promise<typeof X509> | undefined

/** Loaded on first use: a cluster that has its certificates starts without it. */
export function loadLibrary(): Promise<typeof X509> {
  installReflectMetadata()
  library ??= import('@peculiar/x509')
  return library
}

/** A self-signed authority that may sign for servers and clients. */
export async function createAuthority(commonName: string, clock: Clock): Promise<Authority> {
  const x509 = await loadLibrary()
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const usages =
    x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment | x509.KeyUsageFlags.keyCertSign
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: nameOf(commonName, []),
    keys,
    serialNumber: newSerialNumber(),
    ...validity(clock.now(), AUTHORITY_VALIDITY_MS),
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(usages, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return { certificate: pem(certificate), privateKey: await exportKey(keys.privateKey) }
}

export async function issueCertificate(
  authority: Authority,
  request: CertificateRequest,
  clock: Clock,
): Promise<KeyPair> {
  const x509 = await loadLibrary()
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const issuer = new x509.X509Certificate(authority.certificate)
  const { serverAuth, clientAuth } = x509.ExtendedKeyUsage
  const certificate = await x509.X509CertificateGenerator.create({
    subject: nameOf(request.commonName, request.organizations ?? []),
    issuer: issuer.subjectName.toJSON(),
    publicKey: keys.publicKey,
    signingKey: await importKey(authority.privateKey),
    serialNumber: newSerialNumber(),
    ...validity(clock.now(), request.validityMs ?? CERTIFICATE_VALIDITY_MS),
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment, true),
      new x509.ExtendedKeyUsageExtension(request.usages.map((usage) => (usage === 'server' ? serverAuth : clientAuth))),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      ...alternativeNames(x509, request.hosts ?? []),
    ],
  })
  return { certificate: pem(certificate), privateKey: await exportKey(keys.privateKey) }
}

/** A key pair for signing tokens of service accounts: RSA, for other verifiers of OpenID tokens may know RS256 only. */
export async function createSigningKey(): Promise<{ readonly privateKey: string; readonly publicKey: string }> {
  return promisify(generateKeyPair)('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  })
}

/** Whether a certificate was signed by the authority, covers the hosts and stays good for `remainingMs`. */
export function isCurrent(
  pair: KeyPair,
  authority: Authority,
  {
    hosts = [],
    remainingMs,
    nowMs,
  }: { readonly hosts?: readonly string[]; readonly remainingMs: number; readonly nowMs: number },
): boolean {
  const certificate = parseCertificate(pair.certificate)
  return (
    certificate !== null &&
    belongsTo(pair.privateKey, certificate) &&
    certificate.verify(new X509Certificate(authority.certificate).publicKey) &&
    Date.parse(certificate.validTo) - nowMs >= remainingMs &&
    hosts.every((host) => (isIP(host) ? certificate.checkIP(host) : certificate.checkHost(host)) !== undefined)
  )
}

/** When a certificate ends, in milliseconds since 1970; null when it cannot be read. */
export function endOf({ certificate }: KeyPair): number | null {
  const parsed = parseCertificate(certificate)
  return parsed === null ? null : Date.parse(parsed.validTo)
}

function parseCertificate(text: string): X509Certificate | null {
  try {
    return new X509Certificate(text)
  } catch {
    return null
  }
}

function belongsTo(privateKey: string, certificate: X509Certificate): boolean {
  try {
    return certificate.checkPrivateKey(createPrivateKey(privateKey))
  } catch {
    return false
  }
}

const pem = (certificate: X509.X509Certificate): string => `${certificate.toString('pem')}\n`

function nameOf(commonName: string, organizations: readonly string[]): X509.JsonName {
  return [...organizations.map((organization) => ({ O: [organization] })), { CN: [commonName] }]
}

function alternativeNames(x509: typeof X509, hosts: readonly string[]): X509.Extension[] {
  if (hosts.length === 0) return []
  const names = hosts.map((host): X509.JsonGeneralName => ({ type: isIP(host) ? 'ip' : 'dns', value: host }))
  return [new x509.SubjectAlternativeNameExtension(names)]
}

function validity(nowMs: number, lengthMs: number): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(nowMs - BACKDATE_MS), notAfter: new Date(nowMs + lengthMs) }
}

/** Positive (the first bit is clear) and unguessable. Secrets come from the system, never from a seeded source. */
export function newSerialNumber(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  bytes[0] = (bytes[0]! & 0x3f) | 0x40
  return Buffer.from(bytes).toString('hex')
}

/** As `EC PRIVATE KEY`, which says what it is: fabric8 takes a `PRIVATE KEY` for an RSA one and cannot read it. */
async function exportKey(key: CryptoKey): Promise<string> {
  const der = Buffer.from(await crypto.subtle.exportKey('pkcs8', key))
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }).export({ type: 'sec1', format: 'pem' }).toString()
}

function importKey(privateKey: string): Promise<CryptoKey> {
  const der = createPrivateKey(privateKey).export({ type: 'pkcs8', format: 'der' })
  return crypto.subtle.importKey('pkcs8', new Uint8Array(der), ALGORITHM, false, ['sign'])
}
