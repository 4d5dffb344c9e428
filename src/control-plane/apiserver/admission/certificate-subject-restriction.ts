/** Nobody gets a client certificate of the group that may do everything through a request. */
import type { CertificateSigningRequest } from '#api/certificates/v1.gen.ts'
import { parseRequest } from '#api/certificates/certificate-request.ts'
import { isResource, refuse, type AdmissionPlugin } from './admission.ts'

const SIGNER = 'kubernetes.io/kube-apiserver-client'

export const certificateSubjectRestriction: AdmissionPlugin = {
  name: 'CertificateSubjectRestriction',
  validate(attributes) {
    const isRequest = isResource(attributes, 'certificatesigningrequests', 'certificates.k8s.io')
    if (attributes.operation !== 'CREATE' || !isRequest) return
    const { spec } = attributes.object as CertificateSigningRequest
    if (spec.signerName !== SIGNER) return
    if (parseRequest(spec.request).subject.organizations.includes('system:masters'))
      throw refuse(attributes, `use of ${SIGNER} signer with system:masters group is not allowed`)
  },
}
