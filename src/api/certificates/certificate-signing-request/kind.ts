/** A request for a certificate that a signer answers. */
import type { CertificateSigningRequest } from '#api/certificates/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import type { RequestUser, Strategy } from '#api/kind.ts'
import { keepSpec, keepStatus } from '#api/strategies.ts'
import { formatAge, formatDuration } from '#api/table-cells.ts'

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

const strategy: Strategy<CertificateSigningRequest> = {
  prepareForCreate(request, { user }) {
    recordRequester(request, user)
    // A request starts without an answer, and without approvals that its author would like to have.
    delete request.status
  },
  prepareForUpdate(request, old, { subresource }) {
    keepSpec(request, old)
    if (subresource === '') keepStatus(request, old)
    if (subresource === 'approval') request.status = { ...old.status, conditions: request.status?.conditions ?? [] }
  },
}

function recordRequester({ spec }: CertificateSigningRequest, user: RequestUser | undefined): void {
  delete spec.username
  delete spec.uid
  delete spec.groups
  delete spec.extra
  if (user === undefined) return
  spec.username = user.name
  if (user.uid !== '') spec.uid = user.uid
  spec.groups = [...user.groups]
  const extra = Object.entries(user.extra)
  if (extra.length > 0) spec.extra = Object.fromEntries(extra.map(([name, values]) => [name, [...values]]))
}

export const certificateSigningRequestKind = defineKind<CertificateSigningRequest>(
  'certificates.k8s.io/v1/certificatesigningrequests',
  {
    strategy,
    row: (object, nowMs) => requestCells(object, nowMs),
    selectableFields: { 'spec.signerName': (object) => object.spec.signerName ?? '' },
  },
)
