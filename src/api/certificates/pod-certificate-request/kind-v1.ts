/** PodCertificateRequests as certificates.k8s.io/v1 shows them. Stored as v1beta1. */
import type { PodCertificateRequest } from '#api/certificates/v1.gen.ts'
import { defineVersion } from '#api/define-version.ts'
import { fromStoredRequest, toStoredRequest } from './conversion.ts'
import { podCertificateRequestBetaKind } from './kind.ts'

export const podCertificateRequestKind = defineVersion<PodCertificateRequest>(
  'certificates.k8s.io/v1/podcertificaterequests',
  podCertificateRequestBetaKind,
  { conversion: { toStored: toStoredRequest, fromStored: fromStoredRequest } },
)
