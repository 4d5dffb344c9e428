/** Trust anchors in a signer's name are only for those who may attest for it. */
import type { ClusterTrustBundle } from '#api/certificates/v1.gen.ts'
import type { Authorizer } from '../authorization/authorizer.ts'
import { isOnlyForCollection, isResource, refuse, type AdmissionPlugin } from './admission.ts'
import { mayUseSigner } from './certificate-signing.ts'

export function createClusterTrustBundleAttest(authorizer: Authorizer): AdmissionPlugin {
  return {
    name: 'ClusterTrustBundleAttest',
    async validate(attributes) {
      const { operation, object, oldObject } = attributes
      if (operation !== 'CREATE' && operation !== 'UPDATE') return
      if (!isResource(attributes, 'clustertrustbundles', 'certificates.k8s.io')) return
      const { signerName = '' } = (object as ClusterTrustBundle).spec
      if (signerName === '' || (oldObject !== null && isOnlyForCollection(object!, oldObject))) return
      if (!(await mayUseSigner(authorizer, attributes, 'attest', signerName)))
        throw refuse(attributes, `user not permitted to attest for signerName ${JSON.stringify(signerName)}`)
    },
  }
}
