/** What the type of a Service means for its other fields. */
import type { Service } from '#api/core/v1.gen.ts'

/** The value of spec.clusterIP that asks for no address at all. */
export const NO_CLUSTER_IP = 'None'

export function isHeadless({ spec }: Service): boolean {
  return spec.clusterIPs?.length === 1 && spec.clusterIPs[0] === NO_CLUSTER_IP
}

export function needsClusterIp({ spec }: Service): boolean {
  return spec.type !== 'ExternalName'
}

export function needsNodePort({ spec }: Service): boolean {
  return spec.type === 'NodePort' || spec.type === 'LoadBalancer'
}

/** Only load balancers ask nodes whether they have pods of the Service. */
export function needsHealthCheckPort({ spec }: Service): boolean {
  return spec.type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local'
}

export function isExternallyAccessible({ spec }: Service): boolean {
  if (spec.type === 'LoadBalancer' || spec.type === 'NodePort') return true
  return spec.type === 'ClusterIP' && (spec.externalIPs ?? []).length > 0
}

export function sameTexts(left: readonly string[] = [], right: readonly string[] = []): boolean {
  return left.length === right.length && left.every((item, position) => item === right[position])
}

/** Both forms, the single field and the list. */
export function sameClusterIps(left: Service, right: Service): boolean {
  return (
    (left.spec.clusterIP ?? '') === (right.spec.clusterIP ?? '') &&
    sameTexts(left.spec.clusterIPs, right.spec.clusterIPs)
  )
}

export function familyOf(address: string): 'IPv4' | 'IPv6' {
  return address.includes(':') ? 'IPv6' : 'IPv4'
}
