/** The DNS view of the cluster: which records each Service has, by Kubernetes' DNS specification 1.1.0. Pure: reads what it is given. */
import type { Service } from '#api/core/v1.gen.ts'
import type { EndpointSlice } from '#api/discovery/v1.gen.ts'

/** What the zone asks of the cluster; informers answer it from their indexes. */
export interface ClusterView {
  service(namespace: string, name: string): Service | undefined
  hasNamespace(namespace: string): boolean
  slices(namespace: string, service: string): readonly EndpointSlice[]
  servicesByIp(ip: string): readonly Service[]
  slicesByIp(ip: string): readonly EndpointSlice[]
}

export type ServiceEndpoint = {
  readonly ip: string
  readonly hostname: string
  readonly ports: readonly EndpointPort[]
}
export type EndpointPort = { readonly name: string; readonly protocol: string; readonly port: number }

/** Ready endpoints of a headless Service, with the name each one has below the Service's. */
export function endpointsOf(slices: readonly EndpointSlice[], family: 'IPv4' | 'IPv6'): ServiceEndpoint[] {
  const endpoints: ServiceEndpoint[] = []
  for (const slice of slices) {
    if (slice.addressType !== family) continue
    const ports = (slice.ports ?? []).map((port) => ({
      name: port.name ?? '',
      protocol: (port.protocol ?? 'TCP').toLowerCase(),
      port: port.port ?? 0,
    }))
    for (const endpoint of slice.endpoints ?? []) {
      if (endpoint.conditions?.ready === false) continue
      for (const ip of endpoint.addresses) endpoints.push({ ip, hostname: endpoint.hostname ?? dashedName(ip), ports })
    }
  }
  return endpoints
}

/** `10.244.1.5` -> `10-244-1-5`: the name of an endpoint without a host name, and of a pod. */
export function dashedName(ip: string): string {
  return ip.replaceAll(/[.:]/g, '-')
}

/** The address that a dashed name stands for, or null. */
export function undashIpv4(name: string): string | null {
  const parts = name.split('-')
  return parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255)
    ? parts.join('.')
    : null
}

export const isHeadless = (service: Service): boolean => service.spec.clusterIP === 'None'
export const isExternalName = (service: Service): boolean => service.spec.type === 'ExternalName'

/** Cluster addresses of one family. */
export function clusterIps(service: Service, family: 'IPv4' | 'IPv6'): string[] {
  const all = service.spec.clusterIPs ?? (service.spec.clusterIP === undefined ? [] : [service.spec.clusterIP])
  return all.filter((ip) => ip !== 'None' && ip !== '' && ip.includes(':') === (family === 'IPv6'))
}

/** `1.2.0.10.in-addr.arpa` -> `10.0.2.1`; null for any other name, IPv6 included. */
export function addressOfReverseName(name: string): string | null {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.in-addr\.arpa$/.exec(name)
  return match === null ? null : `${match[4]}.${match[3]}.${match[2]}.${match[1]}`
}
