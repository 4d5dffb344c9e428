/** Services get no further external addresses: whoever may set one can take traffic that is meant for others. */
import type { Service } from '#api/core/v1.gen.ts'
import { isResource, refuse, type AdmissionPlugin } from './admission.ts'

export const denyServiceExternalIps: AdmissionPlugin = {
  name: 'DenyServiceExternalIPs',
  validate(attributes) {
    const { operation, object, oldObject } = attributes
    if ((operation !== 'CREATE' && operation !== 'UPDATE') || !isResource(attributes, 'services')) return
    const known = (oldObject as Service | null)?.spec?.externalIPs ?? []
    if (((object as Service).spec?.externalIPs ?? []).every((address) => known.includes(address))) return
    throw refuse(attributes, 'Use of external IPs is denied by admission control')
  },
}
