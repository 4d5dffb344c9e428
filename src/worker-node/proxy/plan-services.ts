/** Decides, without any I/O, where this node sends the traffic of each Service port. */
import type { Service, ServicePort } from '#api/core/v1.gen.ts'
import type { Endpoint, EndpointSlice } from '#api/discovery/v1.gen.ts'

export type Target = { readonly ip: string; readonly port: number }

/** One port of one Service, as the rules need it. */
export type ProxiedPort = {
  /** `namespace/name:port`, for logs and chain names. */
  readonly id: string
  readonly protocol: 'tcp' | 'udp' | 'sctp'
  readonly clusterIp: string
  readonly port: number
  /** 0: none. */
  readonly nodePort: number
  /** External and load balancer addresses that this node answers for. */
  readonly externalIps: readonly string[]
  /** Client addresses that may use the external addresses; empty: all. */
  readonly sourceRanges: readonly string[]
  /** Seconds that one client stays on one endpoint; 0: no affinity. */
  readonly affinitySeconds: number
  /** For traffic from inside; already reduced to this node's where internalTrafficPolicy is Local. */
  readonly internal: readonly Target[]
  /** All usable endpoints, for external traffic under policy Cluster. */
  readonly cluster: readonly Target[]
  /** This node's usable endpoints, where externalTrafficPolicy is Local; null under Cluster. */
  readonly externalLocal: readonly Target[] | null
}

type PlacedTarget = Target & {
  readonly isLocal: boolean
  readonly isReady: boolean
  readonly isServing: boolean
  readonly zones: readonly string[] | null
  readonly nodes: readonly string[] | null
}

export type PlanOptions = { readonly nodeName: string; readonly zone: string }

export function planService(service: Service, slices: readonly EndpointSlice[], options: PlanOptions): ProxiedPort[] {
  const clusterIp = service.spec.clusterIP ?? ''
  if (clusterIp === '' || clusterIp === 'None' || clusterIp.includes(':') || service.spec.type === 'ExternalName')
    return []
  if (service.metadata.labels?.['service.kubernetes.io/service-proxy-name'] !== undefined) return []
  return (service.spec.ports ?? []).map((port) => planPort(service, port, slices, options))
}

function planPort(
  service: Service,
  port: ServicePort,
  slices: readonly EndpointSlice[],
  options: PlanOptions,
): ProxiedPort {
  const protocol = (port.protocol ?? 'TCP').toLowerCase() as ProxiedPort['protocol']
  const placed = collectTargets(slices, port, options.nodeName)
  const usable = selectUsable(nearTargets(placed, service, options))
  const local = selectUsable(placed.filter((target) => target.isLocal))
  const affinity =
    service.spec.sessionAffinity === 'ClientIP'
      ? (service.spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10_800)
      : 0
  return {
    id: `${service.metadata.namespace}/${service.metadata.name}:${port.name ?? ''}`,
    protocol,
    clusterIp: service.spec.clusterIP!,
    port: port.port,
    nodePort: port.nodePort ?? 0,
    externalIps: externalAddresses(service),
    sourceRanges: service.spec.loadBalancerSourceRanges ?? [],
    affinitySeconds: affinity,
    internal: service.spec.internalTrafficPolicy === 'Local' ? local : usable,
    cluster: usable,
    externalLocal: service.spec.externalTrafficPolicy === 'Local' ? local : null,
  }
}

function externalAddresses(service: Service): string[] {
  const balancers = (service.status?.loadBalancer?.ingress ?? [])
    .filter((ingress) => ingress.ip !== undefined && (ingress.ipMode ?? 'VIP') === 'VIP')
    .map((ingress) => ingress.ip!)
  return [...new Set([...(service.spec.externalIPs ?? []), ...balancers])].filter((ip) => !ip.includes(':')).toSorted()
}

function collectTargets(slices: readonly EndpointSlice[], port: ServicePort, nodeName: string): PlacedTarget[] {
  const targets = new Map<string, PlacedTarget>()
  for (const slice of slices) {
    if (slice.addressType !== 'IPv4') continue
    const match = slice.ports?.find(
      (candidate) =>
        (candidate.name ?? '') === (port.name ?? '') && (candidate.protocol ?? 'TCP') === (port.protocol ?? 'TCP'),
    )
    if (match?.port === undefined) continue
    for (const endpoint of slice.endpoints ?? []) {
      const ip = endpoint.addresses[0]
      if (ip !== undefined) targets.set(`${ip}:${match.port}`, placeTarget(endpoint, ip, match.port, nodeName))
    }
  }
  return [...targets.values()].toSorted(byAddress)
}

function placeTarget(endpoint: Endpoint, ip: string, port: number, nodeName: string): PlacedTarget {
  const isReady = endpoint.conditions?.ready ?? true
  return {
    ip,
    port,
    isLocal: endpoint.nodeName === nodeName,
    isReady,
    isServing: endpoint.conditions?.serving ?? isReady,
    zones: endpoint.hints?.forZones?.map((zone) => zone.name) ?? null,
    nodes: endpoint.hints?.forNodes?.map((node) => node.name) ?? null,
  }
}

/** Ready endpoints; while there are none, those that still serve as they terminate (upstream's ProxyTerminatingEndpoints). */
function selectUsable(targets: readonly PlacedTarget[]): Target[] {
  const ready = targets.filter((target) => target.isReady)
  const usable = ready.length > 0 ? ready : targets.filter((target) => target.isServing)
  return usable.map(({ ip, port }) => ({ ip, port }))
}

/** Hints count only when every ready endpoint has one and one of them is for this place; else all endpoints serve. */
function nearTargets(
  targets: readonly PlacedTarget[],
  service: Service,
  { nodeName, zone }: PlanOptions,
): readonly PlacedTarget[] {
  if (
    service.spec.trafficDistribution === undefined &&
    service.metadata.annotations?.['service.kubernetes.io/topology-mode'] === undefined
  )
    return targets
  const ready = targets.filter((target) => target.isReady)
  if (ready.length > 0 && ready.every((target) => target.nodes !== null)) {
    const near = ready.filter((target) => target.nodes!.includes(nodeName))
    if (near.length > 0) return near
  }
  if (zone === '' || ready.length === 0 || ready.some((target) => target.zones === null)) return targets
  const near = ready.filter((target) => target.zones!.includes(zone))
  return near.length > 0 ? near : targets
}

const byAddress = (a: Target, b: Target): number => (a.ip === b.ip ? a.port - b.port : a.ip < b.ip ? -1 : 1)
