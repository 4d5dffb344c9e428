/** Signs certificate requests with an authority's key: of RSA or of an elliptic curve, as its PEM text says. */
import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto'
import type * as X509 from '@peculiar/x509'
import { hasOwnSignature, pemBlocks } from '#api/certificates/certificate-data.ts'
import type { RequestedNames } from '#api/certificates/certificate-request.ts'
import type {
  CertificateOrder,
  CertificateSigner,
  CertificateSigning,
} from '#control-plane/controllers/certificatesigningrequest/certificate-signer.ts'
import { DURATION_MS_DEFAULT, SIGNERS } from '#control-plane/controllers/certificatesigningrequest/policy.ts'
import { loadLibrary, newSerialNumber, type Authority } from './certificates/authority.ts'

/** One authority for all signers, as where the cluster has only one. */
export function signAllWith(authority: Authority): CertificateSigning {
  const signer = createCertificateSigner(authority)
  return {
    signers: Object.fromEntries(SIGNERS.map((name) => [name, signer])),
    durationMsMax: DURATION_MS_DEFAULT,
  }
}

/** Throws when the key is not the certificate's. */
export function createCertificateSigner({ certificate, privateKey }: Authority): CertificateSigner {
  const authority = new X509Certificate(certificate)
  const key = createPrivateKey(privateKey)
  if (!authority.checkPrivateKey(key)) throw new Error('the private key does not belong to the signing certificate')
  return {
    endMs: Date.parse(authority.validTo),
    sign: (order) => sign(authority, key, order),
  }
}

async function sign(authority: X509Certificate, key: KeyObject, order: CertificateOrder): Promise<string> {
  const [block] = pemBlocks(Buffer.from(order.request, 'base64').toString('latin1'))
  if (block === undefined || hasOwnSignature(block.der) !== true)
    throw new Error('unable to verify certificate request signature')
  const x509 = await loadLibrary()
  const request = new x509.Pkcs10CertificateRequest(new Uint8Array(block.der))
  const issuer = new x509.X509Certificate(new Uint8Array(authority.raw))
  const signingAlgorithm = algorithmOf(key)
  const certificate = await x509.X509CertificateGenerator.create({
    subject: new x509.Name(new Uint8Array(order.names.subject.der)),
    issuer: issuer.subjectName,
    publicKey: request.publicKey,
    signingKey: await importKey(key, signingAlgorithm),
    signingAlgorithm,
    serialNumber: newSerialNumber(),
    notBefore: new Date(order.notBeforeMs),
    notAfter: new Date(order.notAfterMs),
    extensions: await extensionsOf(x509, issuer, order),
  })
  return `${certificate.toString('pem')}\n`
}

async function extensionsOf(
  x509: typeof X509,
  issuer: X509.X509Certificate,
  { usages, names }: CertificateOrder,
): Promise<X509.Extension[]> {
  const flags = usages.reduce((sum, usage) => sum | (KEY_USAGES[usage] ?? 0), 0)
  const purposes = usages.map((usage) => PURPOSES[usage]).filter((purpose) => purpose !== undefined)
  const issuerKey = issuer.getExtension(x509.SubjectKeyIdentifierExtension)
  const alternatives = alternativeNames(names)
  return [
    ...(flags === 0 ? [] : [new x509.KeyUsagesExtension(flags, true)]),
    ...(purposes.length === 0 ? [] : [new x509.ExtendedKeyUsageExtension([...new Set(purposes)].toSorted())]),
    new x509.BasicConstraintsExtension(false, undefined, true),
    ...(issuerKey === null ? [] : [new x509.AuthorityKeyIdentifierExtension(issuerKey.keyId)]),
    ...(alternatives.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(alternatives)]),
  ]
}

function alternativeNames(names: RequestedNames): X509.JsonGeneralName[] {
  return [
    ...names.dnsNames.map((value) => ({ type: 'dns' as const, value })),
    ...names.emailAddresses.map((value) => ({ type: 'email' as const, value })),
    ...names.ipAddresses.map((value) => ({ type: 'ip' as const, value })),
    ...names.uris.map((value) => ({ type: 'url' as const, value })),
  ]
}

/** Bits of the key usage extension, in the order of RFC 5280. */
const KEY_USAGES: Readonly<Record<string, number>> = {
  signing: 1,
  'digital signature': 1,
  'content commitment': 2,
  'key encipherment': 4,
  'data encipherment': 8,
  'key agreement': 16,
  'cert sign': 32,
  'crl sign': 64,
  'encipher only': 128,
  'decipher only': 256,
}

const PURPOSES: Readonly<Record<string, string>> = {
  any: '2.5.29.37.0',
  'server auth': '1.3.6.1.5.5.7.3.1',
  'client auth': '1.3.6.1.5.5.7.3.2',
  'code signing': '1.3.6.1.5.5.7.3.3',
  'email protection': '1.3.6.1.5.5.7.3.4',
  's/mime': '1.3.6.1.5.5.7.3.4',
  'ipsec end system': '1.3.6.1.5.5.7.3.5',
  'ipsec tunnel': '1.3.6.1.5.5.7.3.6',
  'ipsec user': '1.3.6.1.5.5.7.3.7',
  timestamping: '1.3.6.1.5.5.7.3.8',
  'ocsp signing': '1.3.6.1.5.5.7.3.9',
  'microsoft sgc': '1.3.6.1.4.1.311.10.3.3',
  'netscape sgc': '2.16.840.1.113730.4.1',
}

type SigningAlgorithm = { readonly name: string; readonly hash: string; readonly namedCurve?: string }

const CURVES: Readonly<Record<string, SigningAlgorithm>> = {
  prime256v1: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  secp384r1: { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' },
  secp521r1: { name: 'ECDSA', namedCurve: 'P-521', hash: 'SHA-512' },
}

function algorithmOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): SigningAlgorithm {
  if (asymmetricKeyType === 'rsa') return { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
  const curve = CURVES[asymmetricKeyDetails?.namedCurve ?? '']
  if (curve === undefined) throw new Error(`cannot sign certificates with a key of type ${asymmetricKeyType}`)
  return curve
}

function importKey(key: KeyObject, algorithm: SigningAlgorithm): Promise<CryptoKey> {
  const der = key.export({ type: 'pkcs8', format: 'der' })
  return crypto.subtle.importKey('pkcs8', new Uint8Array(der), algorithm, false, ['sign'])
}
