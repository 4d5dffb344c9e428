/** Who may approve and sign certificate requests is a matter of the signer they are for. */
import type { CertificateSigningRequest } from '#api/certificates/v1.gen.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import type { Authorizer } from '../authorization/authorizer.ts'
import { refuse, type AdmissionAttributes, type AdmissionPlugin } from './admission.ts'

const GROUP = 'certificates.k8s.io'

export function createCertificateApproval(authorizer: Authorizer): AdmissionPlugin {
  return {
    name: 'CertificateApproval',
    async validate(attributes) {
      if (!isUpdateOf(attributes, 'approval')) return
      const { signerName } = (attributes.oldObject as CertificateSigningRequest).spec
      if (!(await mayUseSigner(authorizer, attributes, 'approve', signerName)))
        throw refuse(attributes, `user not permitted to approve requests with signerName ${JSON.stringify(signerName)}`)
    },
  }
}

export function createCertificateSigning(authorizer: Authorizer): AdmissionPlugin {
  return {
    name: 'CertificateSigning',
    async validate(attributes) {
      if (!isUpdateOf(attributes, 'status')) return
      const old = attributes.oldObject as CertificateSigningRequest
      const request = attributes.object as CertificateSigningRequest
      const isSame =
        (old.status?.certificate ?? '') === (request.status?.certificate ?? '') &&
        isSemanticallyEqual(old.status?.conditions ?? [], request.status?.conditions ?? [])
      if (isSame) return
      const { signerName } = old.spec
      if (!(await mayUseSigner(authorizer, attributes, 'sign', signerName)))
        throw refuse(attributes, `user not permitted to sign requests with signerName ${JSON.stringify(signerName)}`)
    },
  }
}

function isUpdateOf({ kind, subresource, operation }: AdmissionAttributes, wanted: string): boolean {
  const isRequest = kind.group === GROUP && kind.resource === 'certificatesigningrequests'
  return isRequest && operation === 'UPDATE' && subresource === wanted
}

/** The signer itself, or all signers of its domain. */
export async function mayUseSigner(
  authorizer: Authorizer,
  { user }: AdmissionAttributes,
  verb: string,
  signerName: string,
): Promise<boolean> {
  for (const name of [signerName, `${signerName.split('/')[0]}/*`]) {
    const { verdict } = await authorizer.authorize({
      user,
      verb,
      isResourceRequest: true,
      namespace: '',
      group: GROUP,
      version: '*',
      resource: 'signers',
      subresource: '',
      name,
      path: '',
    })
    if (verdict === 'allow') return true
  }
  return false
}
