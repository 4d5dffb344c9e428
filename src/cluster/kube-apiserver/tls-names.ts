/** What the flags of TLS mean: versions by Go's names, cipher suites by IANA's, key exchanges by their numbers. */
import { getCiphers, type SecureVersion } from 'node:tls'
import { FlagError } from '../flags.ts'

const VERSIONS: Readonly<Record<string, SecureVersion>> = { VersionTLS12: 'TLSv1.2', VersionTLS13: 'TLSv1.3' }
/** Upstream knows them; OpenSSL refuses them at the security level that Node sets. */
const OLD_VERSIONS = new Set(['VersionTLS10', 'VersionTLS11'])

export function tlsVersion(name: string): SecureVersion {
  if (OLD_VERSIONS.has(name))
    throw new FlagError(`--tls-min-version is not supported: ${name} is too old for this program`)
  const version = VERSIONS[name]
  if (version === undefined) throw new FlagError(`unknown tls version ${JSON.stringify(name)}`)
  return version
}

/** Upstream's names beyond IANA's. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305: 'ECDHE-RSA-CHACHA20-POLY1305',
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305: 'ECDHE-ECDSA-CHACHA20-POLY1305',
}
const SUITE =
  /^TLS_(?:(ECDHE_RSA|ECDHE_ECDSA|RSA)_WITH_)(AES_(?:128|256)_(?:GCM|CBC)|CHACHA20_POLY1305|3DES_EDE_CBC)_(SHA\d*)$/

/** OpenSSL's name of a suite. */
export function cipherSuite(name: string): string {
  const suite = openSslName(name)
  if (!getCiphers().includes(suite.toLowerCase()))
    throw new FlagError(`Cipher suite ${name} not supported or doesn't exist`)
  return suite
}

function openSslName(name: string): string {
  const other = OTHER_NAMES[name]
  if (other !== undefined) return other
  const match = SUITE.exec(name)
  if (match === null) return name // Suites of TLS 1.3 have one name everywhere; what is unknown is told by the caller.
  const [, exchange, cipher, hash] = match as unknown as [string, string, string, string]
  const key = exchange === 'RSA' ? '' : `${exchange.replace('_', '-')}-`
  if (cipher === 'CHACHA20_POLY1305') return `${key}CHACHA20-POLY1305`
  if (cipher === '3DES_EDE_CBC') return `${key}DES-CBC3-SHA`
  const [, bits, mode] = /^AES_(\d+)_(\w+)$/.exec(cipher) as unknown as [string, string, string]
  return `${key}AES${bits}-${mode === 'GCM' ? 'GCM-' : ''}${hash}`
}

/** IANA's numbers, which Go uses. */
const CURVES: Readonly<Record<number, string>> = {
  23: 'P-256',
  24: 'P-384',
  25: 'P-521',
  29: 'X25519',
  4587: 'SecP256r1MLKEM768',
  4588: 'X25519MLKEM768',
  4589: 'SecP384r1MLKEM1024',
}

export function keyExchange(id: number): string {
  const name = CURVES[id]
  if (name === undefined) throw new FlagError(`unsupported curve: ${id}`)
  return name
}
