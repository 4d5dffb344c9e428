/** What has been answered to a certificate request so far, and how long its answer is of interest. */
import { X509Certificate } from 'node:crypto'
import type { CertificateSigningRequest } from '#api/certificates/v1.gen.ts'

export function hasCondition({ status }: CertificateSigningRequest, type: 'Approved' | 'Denied' | 'Failed'): boolean {
  return status?.conditions?.some((condition) => condition.type === type && condition.status !== 'False') === true
}

export const isIssued = ({ status }: CertificateSigningRequest): boolean => Boolean(status?.certificate)

/** A denial holds against every approval. */
export const isApproved = (request: CertificateSigningRequest): boolean =>
  hasCondition(request, 'Approved') && !hasCondition(request, 'Denied')

const HOUR_MS = 3_600_000
const [ANSWERED_MS, PENDING_MS] = [HOUR_MS, 24 * HOUR_MS]

/** When the request is to be deleted; the past when that is now. */
export function endOfInterest(request: CertificateSigningRequest): number | null {
  const { metadata, status } = request
  const conditions = status?.conditions ?? []
  const ends: number[] = []
  if (conditions.length === 0) ends.push(Date.parse(metadata.creationTimestamp) + PENDING_MS)
  for (const { type, lastUpdateTime } of conditions) {
    const sinceMs = Date.parse(lastUpdateTime ?? '')
    if (type === 'Denied' || type === 'Failed') ends.push(sinceMs + ANSWERED_MS)
    if (type !== 'Approved') continue
    ends.push(sinceMs + (isIssued(request) ? ANSWERED_MS : PENDING_MS))
    if (isIssued(request)) ends.push(expiryOf(status!.certificate!))
  }
  const known = ends.filter(Number.isFinite)
  return known.length === 0 ? null : Math.min(...known)
}

/** NaN for what is no certificate: then nothing follows from it. */
function expiryOf(base64: string): number {
  try {
    return Date.parse(new X509Certificate(Buffer.from(base64, 'base64')).validTo)
  } catch {
    return Number.NaN
  }
}
