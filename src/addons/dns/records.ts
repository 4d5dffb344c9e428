/** The DNS view of the cluster: which records each Service has, by Kubernetes' DNS specification 1.1.0. Pure: reads what it is given. */
import { isIP } from 'node:net'
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

/** Ready endpoints of a Service, with the name each one has below the Service's. */
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
export function undashedAddress(name: string): string | null {
  for (const separator of ['.', ':']) {
    const address = name.replaceAll('-', separator)
    if (isIP(address) !== 0) return address
  }
  return null
}

export const isHeadless = (service: Service): boolean => service.spec.clusterIP === 'None'
export const isExternalName = (service: Service): boolean => service.spec.type === 'ExternalName'

/** Cluster addresses of both families. */
export function clusterIps(service: Service): string[] {
  const all = service.spec.clusterIPs ?? (service.spec.clusterIP === undefined ? [] : [service.spec.clusterIP])
  return all.filter((ip) => ip !== 'None' && ip !== '')
}

/** `1.2.0.10.in-addr.arpa` -> `10.0.2.1`, and 32 digits below `ip6.arpa` -> an IPv6 address in its short form; null for any other name. */
export function addressOfReverseName(name: string): string | null {
  const v4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.in-addr\.arpa$/.exec(name)
  if (v4 !== null) return `${v4[4]}.${v4[3]}.${v4[2]}.${v4[1]}`
  if (!/^([0-9a-f]\.){32}ip6\.arpa$/.test(name)) return null
  const digits = name.split('.').slice(0, 32).toReversed().join('')
  return shortIpv6(digits.match(/.{4}/g)!.join(':'))
}

/** As the API server writes addresses: no leading zeros, the longest run of zeros left out. */
function shortIpv6(address: string): string {
  return new URL(`http://[${address}]`).hostname.slice(1, -1)
}
