/** Claims may ask for access to devices that others use only in namespaces that an administrator has labelled for it. */
import type { DeviceRequest, ResourceClaim, ResourceClaimTemplate } from '#api/resource/v1.gen.ts'
import { forbiddenField, invalidFrom } from '#machinery/field-error.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import { isResource, type AdmissionPlugin } from './admission.ts'
import type { ClusterReader } from './cluster-reader.ts'

const LABEL = 'resource.kubernetes.io/admin-access'
const GROUP = 'resource.k8s.io'

/** Upstream checks it with the other rules of the objects, and answers as for those. */
export function createDeviceAdminAccess(cluster: ClusterReader): AdmissionPlugin {
  return {
    name: 'DeviceAdminAccess',
    async validate(attributes) {
      // What may be asked for cannot be changed later.
      if (attributes.operation !== 'CREATE') return
      let requests: readonly DeviceRequest[] | undefined
      const { kind, object } = attributes
      const stored = (): unknown => kind.conversion?.toStored(object!) ?? object
      if (isResource(attributes, 'resourceclaims', GROUP)) requests = (stored() as ResourceClaim).spec.devices?.requests
      else if (isResource(attributes, 'resourceclaimtemplates', GROUP))
        requests = (stored() as ResourceClaimTemplate).spec.spec?.devices?.requests
      const asking = (requests ?? []).findIndex(({ exactly }) => exactly?.adminAccess === true)
      if (asking < 0) return
      const namespace = await cluster.get<KubernetesObject>('', 'namespaces', '', attributes.namespace)
      if (namespace?.metadata.labels?.[LABEL] === 'true') return
      const text = `admin access to devices requires the \`${LABEL}: true\` label on the containing namespace`
      throw invalidFrom({ group: GROUP, kind: attributes.kind.kind }, attributes.name, [
        forbiddenField(`spec.devices.requests[${asking}].adminAccess`, text),
      ])
    },
  }
}
