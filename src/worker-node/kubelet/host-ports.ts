/** Host ports: ports of the node's own addresses that lead to one of its pods. Which of them a pod asks for and takes. */
import type { Pod } from '#api/core/v1.gen.ts'
import type { HostPort } from '../host-port-service.ts'
import { containersOf } from './pods/pod-facts.ts'

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
