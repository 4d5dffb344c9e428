/** Host ports: ports of the node's own addresses that lead to one of its pods. Which a pod asks for, and who serves them. */
import type { Pod } from '#api/core/v1.gen.ts'
import { containersOf } from './pods/pod-facts.ts'

export type HostPort = {
  readonly protocol: 'TCP' | 'UDP' | 'SCTP'
  /** Address of the node on which the port answers; '' for all. */
  readonly hostIp: string
  readonly hostPort: number
  readonly containerPort: number
}

/** Calls may overlap; they take effect in their order. Absent where the CNI configuration serves host ports itself (portmap). */
export interface HostPortService {
  /** Makes these the pod's host ports, in place of what it had. Resolves when connections arrive. */
  set(podUid: string, podIp: string, ports: readonly HostPort[]): Promise<void>
  /** Succeeds for a pod that has none. */
  remove(podUid: string): Promise<void>
  /** Ends what an earlier run left for addresses that no pod of this node has any more. */
  retain(podIps: ReadonlySet<string>): Promise<void>
}

const ANY_ADDRESS = new Set(['', '0.0.0.0', '::'])

export function hostPortsOf(pod: Pod): HostPort[] {
  return containersOf(pod).flatMap(({ container }) =>
    (container.ports ?? [])
      .filter(({ hostPort = 0 }) => hostPort > 0)
      .map(({ protocol = 'TCP', hostIP = '', hostPort, containerPort }) => ({
        protocol: protocol as HostPort['protocol'],
        hostIp: ANY_ADDRESS.has(hostIP) ? '' : hostIP,
        hostPort: hostPort!,
        containerPort,
      })),
  )
}

/** Ports of the node that the pod takes: on the host's network each of its ports is one, whether it says so or not. */
export function takenPortsOf(pod: Pod): HostPort[] {
  if (pod.spec.hostNetwork !== true) return hostPortsOf(pod)
  const containers = pod.spec.containers.map((container) => ({
    ...container,
    ports: (container.ports ?? []).map((port) => ({ ...port, hostPort: port.hostPort || port.containerPort })),
  }))
  return hostPortsOf({ ...pod, spec: { ...pod.spec, containers } })
}

/** A port on all addresses is in the way of the same port on any of them. */
export function isSameHostPort(a: HostPort, b: HostPort): boolean {
  const overlap = a.hostIp === b.hostIp || a.hostIp === '' || b.hostIp === ''
  return overlap && a.protocol === b.protocol && a.hostPort === b.hostPort
}
