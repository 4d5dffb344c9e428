/** The cluster as DNS sees it, answered from the informers' indexes. */
import type { Namespace, Service } from '#api/core/v1.gen.ts'
import type { EndpointSlice } from '#api/discovery/v1.gen.ts'
import type { Informer } from '#client/informer.ts'
import type { ClusterView } from './records.ts'

const [BY_SERVICE, BY_IP] = ['dns/service', 'dns/ip']

export type ViewInformers = {
  readonly services: Informer<Service>
  readonly slices: Informer<EndpointSlice>
  readonly namespaces: Informer<Namespace>
}

/** Defines the indexes, so it is called before the informers start. */
export function createInformerView({ services, slices, namespaces }: ViewInformers): ClusterView {
  services.addIndex(BY_IP!, (service) => service.spec.clusterIPs ?? [])
  slices.addIndex(BY_SERVICE!, (slice) => {
    const name = slice.metadata.labels?.['kubernetes.io/service-name']
    return name === undefined ? [] : [`${slice.metadata.namespace}/${name}`]
  })
  slices.addIndex(BY_IP!, (slice) => (slice.endpoints ?? []).flatMap((endpoint) => endpoint.addresses))
  return {
    service: (namespace, name) => services.get(`${namespace}/${name}`),
    hasNamespace: (namespace) => namespaces.get(namespace) !== undefined,
    slices: (namespace, service) => slices.byIndex(BY_SERVICE!, `${namespace}/${service}`),
    servicesByIp: (ip) => services.byIndex(BY_IP!, ip),
    slicesByIp: (ip) => slices.byIndex(BY_IP!, ip),
  }
}
