/** Ingresses that name no class get the default one, if there is one. */
import type { Ingress, IngressClass } from '#api/networking/v1.gen.ts'
import { isResource, type AdmissionPlugin } from './admission.ts'
import type { ClusterReader } from './cluster-reader.ts'
import { findDefaultClass } from '#api/default-class.ts'

const GROUP = 'networking.k8s.io'
const DEFAULT_ANNOTATIONS = ['ingressclass.kubernetes.io/is-default-class']
/** How Ingresses named their class before there was a field. */
const CLASS_ANNOTATION = 'kubernetes.io/ingress.class'

export function createDefaultIngressClass(cluster: ClusterReader): AdmissionPlugin {
  return {
    name: 'DefaultIngressClass',
    async mutate(attributes) {
      if (attributes.operation !== 'CREATE' || !isResource(attributes, 'ingresses', GROUP)) return
      const ingress = attributes.object as Ingress
      const isNamed = ingress.spec?.ingressClassName !== undefined && ingress.spec.ingressClassName !== null
      if (isNamed || ingress.metadata.annotations?.[CLASS_ANNOTATION] !== undefined) return
      const found = findDefaultClass(await cluster.list<IngressClass>(GROUP, 'ingressclasses'), DEFAULT_ANNOTATIONS)
      if (found !== null) (ingress.spec ??= {}).ingressClassName = found.metadata.name
    },
  }
}
