/** Reads the certificate that a client showed in the TLS handshake; whether it opens anything is for authentication. */
import { X509Certificate } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import type { ClientCertificate } from '../request.ts'

export type ClientAuthorities = {
  /** PEM of those who sign certificates of users; empty for none. */
  readonly clientCa: string
  /** PEM of those who sign certificates of front proxies; empty for none. */
  readonly requestHeaderCa: string
}

export class ClientCertificates {
  readonly #clientAuthorities: readonly X509Certificate[]
  readonly #frontAuthorities: readonly X509Certificate[]
  /** One answer per connection: a handshake happens once, requests many times. */
  readonly #known = new WeakMap<TLSSocket, ClientCertificate | null>()

  constructor({ clientCa, requestHeaderCa }: ClientAuthorities) {
    this.#clientAuthorities = certificatesOf(clientCa)
    this.#frontAuthorities = certificatesOf(requestHeaderCa)
  }

  of(socket: TLSSocket): ClientCertificate | null {
    let certificate = this.#known.get(socket)
    if (certificate === undefined) this.#known.set(socket, (certificate = this.#read(socket)))
    return certificate
  }

  #read(socket: TLSSocket): ClientCertificate | null {
    const certificate = socket.getPeerX509Certificate()
    if (certificate === undefined) return null
    const subject = certificate.toLegacyObject().subject as unknown as Record<string, string | string[] | undefined>
    return {
      // Node has checked chain, purpose and times against all authorities together; it only does not act on the result.
      trusted: socket.authorized && comesFrom(certificate, this.#clientAuthorities),
      isFrontProxy: socket.authorized && comesFrom(certificate, this.#frontAuthorities),
      commonName: listOf(subject['CN']).at(-1) ?? '',
      organizations: listOf(subject['O']),
      notBeforeMs: Date.parse(certificate.validFrom),
      notAfterMs: Date.parse(certificate.validTo),
      fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    }
  }
}

const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

const certificatesOf = (pem: string): X509Certificate[] =>
  [...pem.matchAll(PEM)].map(([text]) => new X509Certificate(text))

/** Whether one of the authorities signed the certificate, or one that signed it and that the client sent along. */
function comesFrom(certificate: X509Certificate, authorities: readonly X509Certificate[]): boolean {
  const chain = [certificate]
  for (let next = certificate.issuerCertificate; next !== undefined; next = next.issuerCertificate) {
    const below = chain.at(-1)!
    if (next.fingerprint256 === below.fingerprint256 || !isSignedBy(below, next)) break
    chain.push(next)
  }
  return chain.some((link) => authorities.some((authority) => isSignedBy(link, authority)))
}

const isSignedBy = (certificate: X509Certificate, authority: X509Certificate): boolean =>
  certificate.checkIssued(authority) && certificate.verify(authority.publicKey)

const listOf = (value: string | string[] | undefined): string[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value]
