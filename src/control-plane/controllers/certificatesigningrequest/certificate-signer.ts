/** What signs certificates for the signing controller: an authority whose key it never sees. */
import type { RequestedNames } from '#api/certificates/certificate-request.ts'
import type { SignerName } from './policy.ts'

export type CertificateOrder = {
  /** PEM text in base64, as `spec.request` of a CertificateSigningRequest. */
  readonly request: string
  /** What of the request is signed: as it was checked, not read a second time. */
  readonly names: RequestedNames
  /** As `spec.usages`. */
  readonly usages: readonly string[]
  readonly notBeforeMs: number
  readonly notAfterMs: number
}

export interface CertificateSigner {
  /** When the authority's own certificate ends, in milliseconds since 1970. */
  readonly endMs: number
  /** PEM text of a certificate for these names and the request's key. Throws when the request is not signed with its key. */
  sign(order: CertificateOrder): Promise<string>
}

export type CertificateSigning = {
  readonly signers: Readonly<Partial<Record<SignerName, CertificateSigner>>>
  /** No certificate is good for longer. */
  readonly durationMsMax: number
}
