/** Reads the certificate that a client showed in the TLS handshake; whether it opens anything is for authentication. */
import type { TLSSocket } from 'node:tls'
import type { ClientCertificate } from '../request.ts'

/** One answer per connection: a handshake happens once, requests many times. */
const known = new WeakMap<TLSSocket, ClientCertificate | null>()

export function clientCertificateOf(socket: TLSSocket): ClientCertificate | null {
  let certificate = known.get(socket)
  if (certificate === undefined) known.set(socket, (certificate = readCertificate(socket)))
  return certificate
}

function readCertificate(socket: TLSSocket): ClientCertificate | null {
  const certificate = socket.getPeerX509Certificate()
  if (certificate === undefined) return null
  const subject = certificate.toLegacyObject().subject as unknown as Record<string, string | string[] | undefined>
  return {
    // Node has checked chain, purpose and times against the client CA; it only does not act on the result.
    trusted: socket.authorized,
    commonName: listOf(subject['CN']).at(-1) ?? '',
    organizations: listOf(subject['O']),
    notBeforeMs: Date.parse(certificate.validFrom),
    notAfterMs: Date.parse(certificate.validTo),
    fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
  }
}

const listOf = (value: string | string[] | undefined): string[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value]
