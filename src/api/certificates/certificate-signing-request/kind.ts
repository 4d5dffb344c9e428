/** A request for a certificate that a signer answers. */
import type { CertificateSigningRequest } from '#api/certificates/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import { formatAge, formatDuration } from '#api/table-cells.ts'
import { certificateSigningRequestStrategy } from './strategy.ts'

function requestCells(request: CertificateSigningRequest, nowMs: number): unknown[] {
  const { spec, metadata } = request
  return [
    metadata.name,
    formatAge(metadata.creationTimestamp, nowMs),
    spec.signerName || '<none>',
    spec.username ?? '',
    spec.expirationSeconds === undefined ? '<none>' : formatDuration(spec.expirationSeconds * 1000),
    conditionCell(request),
  ]
}

function conditionCell({ status }: CertificateSigningRequest): string {
  const types = new Set((status?.conditions ?? []).map((condition) => condition.type))
  let text = types.has('Denied') ? 'Denied' : types.has('Approved') ? 'Approved' : 'Pending'
  if (types.has('Failed')) text += ',Failed'
  if ((status?.certificate ?? '') !== '') text += ',Issued'
  return text
}

export const certificateSigningRequestKind = defineKind<CertificateSigningRequest>(
  'certificates.k8s.io/v1/certificatesigningrequests',
  {
    strategy: certificateSigningRequestStrategy,
    nameRule: 'path-segment',
    row: (object, nowMs) => requestCells(object, nowMs),
    selectableFields: { 'spec.signerName': (object) => object.spec.signerName ?? '' },
  },
)
