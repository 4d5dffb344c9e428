/** Which pods stand behind a Service, and by which ports they are reached. */
import type { Pod, Service, ServicePort } from '#api/core/v1.gen.ts'
import type { Informer } from '#client/informer.ts'
import { isPodReady, isPodTerminal } from '../pods/pod-state.ts'

/** Services without a selector, and ExternalName ones, bring their own endpoints. */
export function hasManagedEndpoints({ spec }: Service): boolean {
  return spec.type !== 'ExternalName' && spec.selector !== undefined && Object.keys(spec.selector).length > 0
}

export function selects({ spec }: Service, labels: Readonly<Record<string, string>> = {}): boolean {
  for (const key in spec.selector) if (labels[key] !== spec.selector[key]) return false
  return true
}

export function podsOf(service: Service, pods: Informer<Pod>): Pod[] {
  return pods.list(service.metadata.namespace).filter((pod) => selects(service, pod.metadata.labels))
}

/** Finished pods and pods without an address are no endpoints. */
export function isEndpointCandidate(pod: Pod, includesTerminating: boolean): boolean {
  if (isPodTerminal(pod)) return false
  if (!pod.status?.podIP && (pod.status?.podIPs ?? []).length === 0) return false
  return includesTerminating || pod.metadata.deletionTimestamp === undefined
}

/** A pod's own DNS name exists only below the Service that is its subdomain. */
export function hostnameOf({ spec }: Pod, service: Service): string | undefined {
  return spec.hostname && spec.subdomain === service.metadata.name ? spec.hostname : undefined
}

export function isHeadless({ spec }: Service): boolean {
  return !spec.clusterIP || spec.clusterIP === 'None'
}

/** The number behind a port of the Service in this pod; undefined when no container names it. */
export function targetPortOf({ spec }: Pod, { targetPort, port, protocol = 'TCP' }: ServicePort): number | undefined {
  if (typeof targetPort !== 'string') return targetPort || port
  const sidecars = (spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always')
  for (const { ports = [] } of [...spec.containers, ...sidecars])
    for (const candidate of ports)
      if (candidate.name === targetPort && (candidate.protocol ?? 'TCP') === protocol) return candidate.containerPort
  return undefined
}

/** Services whose endpoints a change of a pod touches; null as `old` for a pod that came or went. */
export function servicesTouchedBy(pod: Pod, old: Pod | null, services: Informer<Service>): Service[] {
  if (old !== null && !isEndpointChange(pod, old)) return []
  return services
    .list(pod.metadata.namespace)
    .filter(
      (service) =>
        hasManagedEndpoints(service) &&
        (selects(service, pod.metadata.labels) || (old !== null && selects(service, old.metadata.labels))),
    )
}

function isEndpointChange(pod: Pod, old: Pod): boolean {
  return (
    pod.metadata.deletionTimestamp !== old.metadata.deletionTimestamp ||
    isPodReady(pod) !== isPodReady(old) ||
    isPodTerminal(pod) !== isPodTerminal(old) ||
    pod.spec.nodeName !== old.spec.nodeName ||
    pod.spec.hostname !== old.spec.hostname ||
    pod.spec.subdomain !== old.spec.subdomain ||
    !isSame(addressesOf(pod), addressesOf(old)) ||
    !isSame(Object.entries(pod.metadata.labels ?? {}).flat(), Object.entries(old.metadata.labels ?? {}).flat())
  )
}

const addressesOf = ({ status }: Pod): string[] => [
  status?.podIP ?? '',
  ...(status?.podIPs ?? []).map(({ ip }) => ip ?? ''),
]

function isSame(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((value, index) => value === right[index])
}
