/** PodCertificateRequests of v1 in the stored form of v1beta1, and back. */
import type { PodCertificateRequest, PodCertificateRequestSpec } from '#api/certificates/v1.gen.ts'
import type * as v1beta1 from '#api/certificates/v1beta1.gen.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'

/**
 * What the stored spec holds beyond v1's goes with the spec that was read from it: an update that keeps the spec (one
 * of the status) keeps it all. A client's own spec comes without, and so differs from the stored one, as it does upstream.
 */
const KEY_FIELDS = Symbol('fields of v1beta1 alone')

type KeyFields = Pick<v1beta1.PodCertificateRequestSpec, 'pkixPublicKey' | 'proofOfPossession'>
type Spec = PodCertificateRequestSpec & { [KEY_FIELDS]?: KeyFields }

export function toStoredRequest(request: PodCertificateRequest): v1beta1.PodCertificateRequest {
  const { [KEY_FIELDS]: keyFields, ...spec } = request.spec as Spec
  return { ...request, apiVersion: 'certificates.k8s.io/v1beta1', spec: { ...spec, ...keyFields } }
}

export function fromStoredRequest(object: KubernetesObject): PodCertificateRequest {
  const stored = object as v1beta1.PodCertificateRequest
  const { pkixPublicKey, proofOfPossession, ...others } = stored.spec
  const spec: Spec = others
  const keyFields: KeyFields = {
    ...(pkixPublicKey === undefined ? {} : { pkixPublicKey }),
    ...(proofOfPossession === undefined ? {} : { proofOfPossession }),
  }
  if (Object.keys(keyFields).length > 0) spec[KEY_FIELDS] = keyFields
  return { ...stored, apiVersion: 'certificates.k8s.io/v1', spec }
}
