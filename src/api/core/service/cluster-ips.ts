/** Keeps `clusterIP` and `clusterIPs` in step, and what was allocated before where a client leaves it out. */
import type { Service } from '#api/core/v1.gen.ts'
import {
  familyOf,
  needsClusterIp,
  needsHealthCheckPort,
  needsNodePort,
  NO_CLUSTER_IP,
  sameTexts,
} from './service-rules.ts'

/** A client that knows only `clusterIP` writes it; the list follows. `old` is null on create. */
export function normalizeClusterIps({ spec }: Service, old: Service | null): void {
  const single = spec.clusterIP ?? ''
  const list = spec.clusterIPs ?? []
  if (old === null) {
    if (single !== '' && list.length === 0) spec.clusterIPs = [single]
    return
  }
  const oldSingle = old.spec.clusterIP ?? ''
  const oldList = old.spec.clusterIPs ?? []
  if (oldList.length > 0 && list.length === 0 && oldSingle === single) spec.clusterIPs = [...oldList]
  if (oldSingle === single || !sameTexts(oldList, spec.clusterIPs)) return
  if (oldSingle !== '' && single === '') delete spec.clusterIPs
  else spec.clusterIPs = [single]
}

/** An update that does not name what was allocated keeps it. */
export function keepAllocated(service: Service, old: Service): void {
  const { spec } = service
  if (needsClusterIp(old) && needsClusterIp(service)) {
    if (!spec.clusterIP && old.spec.clusterIP) spec.clusterIP = old.spec.clusterIP
    if ((spec.clusterIPs ?? []).length === 0 && (old.spec.clusterIPs ?? []).length > 0)
      spec.clusterIPs = [...old.spec.clusterIPs!]
  }
  // Whoever switches allocation off and names no port gives the ports up.
  const isOptional = spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts === false
  if (needsNodePort(old) && needsNodePort(service) && !isOptional) keepNodePorts(service, old)
  if (needsHealthCheckPort(old) && needsHealthCheckPort(service) && !spec.healthCheckNodePort)
    if (old.spec.healthCheckNodePort) spec.healthCheckNodePort = old.spec.healthCheckNodePort
}

/** By the port's name, unless another port has taken the number over. */
function keepNodePorts({ spec }: Service, old: Service): void {
  const numbers = (ports: Service['spec']['ports']): number[] =>
    (ports ?? []).map(({ nodePort }) => nodePort ?? 0).filter((port) => port !== 0)
  const oldNumbers = numbers(old.spec.ports)
  const used = new Set(numbers(spec.ports).filter((port) => oldNumbers.includes(port)))
  const byName = new Map((old.spec.ports ?? []).map(({ name = '', nodePort = 0 }) => [name, nodePort]))
  for (const port of spec.ports ?? []) {
    if (port.nodePort) continue
    const previous = byName.get(port.name ?? '') ?? 0
    if (previous !== 0 && !used.has(previous)) port.nodePort = previous
  }
}

/** Fields that Services from old versions of Kubernetes lack; done on every read of such an object. */
export function completeOldService(service: Service, primaryFamily: string): void {
  normalizeClusterIps(service, null)
  const { spec } = service
  if (spec.type === 'ExternalName') delete spec.internalTrafficPolicy
  if (!needsClusterIp(service) || (spec.ipFamilies ?? []).length > 0) return
  if (spec.clusterIP === NO_CLUSTER_IP) {
    const isDual = Object.keys(spec.selector ?? {}).length === 0
    spec.ipFamilies = isDual ? [primaryFamily, otherFamily(primaryFamily)] : [primaryFamily]
  } else spec.ipFamilies = (spec.clusterIPs ?? []).map(familyOf)
  if (spec.ipFamilies.length > 0)
    spec.ipFamilyPolicy = spec.ipFamilies.length === 1 ? 'SingleStack' : 'RequireDualStack'
}

export function otherFamily(family: string): string {
  return family === 'IPv4' ? 'IPv6' : 'IPv4'
}
