/** A request of a kubelet for the certificate of one pod; stored as v1beta1, which has fields that v1 no longer shows. */
import type { PodCertificateRequest } from '#api/certificates/v1beta1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import type { Strategy } from '#api/kind.ts'
import { specStatusStrategy } from '#api/strategies.ts'
import { formatLabels } from '#api/table-cells.ts'
import { validatePodRequest, validatePodRequestStatus, validatePodRequestUpdate } from './validation.ts'

const strategy: Strategy<PodCertificateRequest> = {
  ...specStatusStrategy<PodCertificateRequest>({ generation: false, resetsMetaForStatus: true }),
  requireResourceVersion: true,
  setDefaults({ spec }) {
    spec.maxExpirationSeconds ??= 86_400
  },
  validate: validatePodRequest,
  validateUpdate: (request, old, { subresource }) =>
    subresource === 'status' ? validatePodRequestStatus(request, old) : validatePodRequestUpdate(request, old),
}

function stateCell({ status }: PodCertificateRequest): string {
  const known = ['Issued', 'Denied', 'Failed']
  return status?.conditions?.findLast(({ type }) => known.includes(type))?.type ?? 'Pending'
}

export const podCertificateRequestBetaKind = defineKind<PodCertificateRequest>(
  'certificates.k8s.io/v1beta1/podcertificaterequests',
  {
    deprecation:
      'certificates.k8s.io/v1beta1 PodCertificateRequest is deprecated in v1.37+, unavailable in v1.40+; use certificates.k8s.io/v1 PodCertificateRequest',
    strategy,
    row: (request) => [
      request.metadata.name,
      request.spec.podName ?? '',
      request.spec.serviceAccountName ?? '',
      request.spec.nodeName ?? '',
      request.spec.signerName ?? '',
      stateCell(request),
      formatLabels(request.spec.unverifiedUserAnnotations),
    ],
    selectableFields: {
      'spec.nodeName': ({ spec }) => spec.nodeName ?? '',
      'spec.podName': ({ spec }) => spec.podName ?? '',
      'spec.signerName': ({ spec }) => spec.signerName ?? '',
    },
  },
)
