/** Warnings about Services that are valid but doubtful. */
import type { Service } from '#api/core/v1.gen.ts'
import { cidrWarnings } from '#api/cidr.ts'
import { ipWarnings } from '#api/ip.ts'
import { NO_CLUSTER_IP } from './service-rules.ts'

const TOPOLOGY_HINTS = 'service.kubernetes.io/topology-aware-hints'
const TOPOLOGY_MODE = 'service.kubernetes.io/topology-mode'

export function serviceWarnings({ metadata, spec }: Service): string[] {
  const warnings: string[] = []
  if (metadata.annotations?.[TOPOLOGY_HINTS] !== undefined)
    warnings.push(`annotation ${TOPOLOGY_HINTS} is deprecated, please use ${TOPOLOGY_MODE} instead`)
  if (spec.clusterIP && spec.clusterIP !== NO_CLUSTER_IP) warnings.push(...listWarnings('clusterIPs', spec.clusterIPs))
  const isHeadless = spec.type === 'ClusterIP' && spec.clusterIP === NO_CLUSTER_IP
  const externalIps = spec.externalIPs ?? []
  if (isHeadless) {
    if (spec.loadBalancerIP) warnings.push('spec.loadBalancerIP is ignored for headless services')
    if (externalIps.length > 0) warnings.push('spec.externalIPs is ignored for headless services')
    if (spec.sessionAffinity !== 'None') warnings.push('spec.SessionAffinity is ignored for headless services')
  }
  warnings.push(...listWarnings('externalIPs', externalIps))
  if (externalIps.length > 0 && !isHeadless && spec.type !== 'ExternalName')
    warnings.push('spec.externalIPs is deprecated and may no longer be implemented in some clusters')
  if (spec.loadBalancerIP) warnings.push(...ipWarnings('spec.loadBalancerIP', spec.loadBalancerIP))
  for (const [i, range] of (spec.loadBalancerSourceRanges ?? []).entries())
    warnings.push(...cidrWarnings(`spec.loadBalancerSourceRanges[${i}]`, range))
  if (spec.type === 'ExternalName' && externalIps.length > 0)
    warnings.push('spec.externalIPs is ignored when spec.type is "ExternalName"')
  if (spec.type !== 'ExternalName' && spec.externalName)
    warnings.push('spec.externalName is ignored when spec.type is not "ExternalName"')
  if (spec.trafficDistribution === 'PreferClose')
    warnings.push('spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"')
  return warnings
}

function listWarnings(field: string, addresses: readonly string[] = []): string[] {
  return addresses.flatMap((address, i) => ipWarnings(`spec.${field}[${i}]`, address))
}
