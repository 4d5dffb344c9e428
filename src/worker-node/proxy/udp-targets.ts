/** Finds the UDP endpoints that a change took away, whose flows the kernel has to forget. */
import type { ProxiedPort } from './plan-services.ts'

export type UdpTarget = { readonly clusterIp: string; readonly port: number; readonly endpointIp: string }

export function removedUdpTargets(old: readonly ProxiedPort[], next: readonly ProxiedPort[]): UdpTarget[] {
  const kept = new Set(next.filter(isUdp).flatMap((port) => targetsOf(port).map(keyOf)))
  return old.filter(isUdp).flatMap((port) => targetsOf(port).filter((target) => !kept.has(keyOf(target))))
}

const isUdp = (port: ProxiedPort): boolean => port.protocol === 'udp'

function targetsOf(port: ProxiedPort): UdpTarget[] {
  return port.internal.map(({ ip }) => ({ clusterIp: port.clusterIp, port: port.port, endpointIp: ip }))
}

const keyOf = ({ clusterIp, port, endpointIp }: UdpTarget): string => `${clusterIp}:${port}>${endpointIp}`
