/** Which forms the listings of discovery have beside the plain one. */
import type { Restrictions } from '../http/negotiation.ts'

/** All of discovery in one document. */
export const AGGREGATED: Restrictions = {
  serverVersion: '',
  allowsForm: (_mediaType, form) =>
    form === null ||
    (form.group === 'apidiscovery.k8s.io' && form.version === 'v2' && form.kind === 'APIGroupDiscoveryList'),
}
