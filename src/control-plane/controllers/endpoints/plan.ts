/** Decides, without any I/O, what the Endpoints object of a Service says of its pods. */
import type { EndpointAddress, EndpointPort, Endpoints, EndpointSubset, Pod, Service } from '#api/core/v1.gen.ts'
import { canonicalIp } from '#api/ip.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import type { Draft } from '#machinery/meta/template.ts'
import { HEADLESS_LABEL } from '../endpointslice/plan.ts'
import { hostnameOf, isEndpointCandidate, isHeadless, targetPortOf } from '../endpointslice/service-pods.ts'
import { TRIGGER_TIME_ANNOTATION } from '../endpointslice/trigger-times.ts'
import { isPodReady } from '../pods/pod-state.ts'
import { truncateSubsets } from './truncate.ts'

export const MANAGED_BY_LABEL = 'endpoints.kubernetes.io/managed-by'
export const MANAGER = 'endpoint-controller'
const OVER_CAPACITY_ANNOTATION = 'endpoints.kubernetes.io/over-capacity'

type Address = { readonly address: EndpointAddress; readonly isReady: boolean }
type PortGroup = { readonly port: EndpointPort | null; readonly addresses: Map<string, Address> }

/** The object to write, or null when `current` says all this already. */
export function planEndpoints(
  service: Service,
  pods: readonly Pod[],
  current: Endpoints | undefined,
  triggerTime: string | undefined,
): Draft<Endpoints> | null {
  const packed = subsetsOf(service, pods)
  const { subsets, isTruncated } = truncateSubsets(packed)
  const labels = labelsOf(service)
  const annotations = { ...current?.metadata.annotations }
  delete annotations[TRIGGER_TIME_ANNOTATION]
  delete annotations[OVER_CAPACITY_ANNOTATION]
  if (triggerTime !== undefined) annotations[TRIGGER_TIME_ANNOTATION] = triggerTime
  if (isTruncated) annotations[OVER_CAPACITY_ANNOTATION] = 'truncated'
  if (
    current !== undefined &&
    isSemanticallyEqual(sorted(current.subsets), subsets) &&
    isSemanticallyEqual(current.metadata.labels, labels) &&
    current.metadata.annotations?.[OVER_CAPACITY_ANNOTATION] === annotations[OVER_CAPACITY_ANNOTATION]
  )
    return null
  const { namespace, name } = service.metadata
  const metadata = { ...(current?.metadata ?? { name, namespace: namespace! }), labels, annotations }
  return { ...current, metadata, subsets }
}

function subsetsOf(service: Service, pods: readonly Pod[]): EndpointSubset[] {
  const groups = new Map<string, PortGroup>()
  for (const pod of pods) {
    const found = addressOf(pod, service)
    if (found === null) continue
    for (const port of portsOf(service, pod)) {
      const key = JSON.stringify(port)
      let group = groups.get(key)
      if (group === undefined) groups.set(key, (group = { port, addresses: new Map() }))
      group.addresses.set(`${found.address.ip} ${found.address.targetRef?.uid}`, found)
    }
  }
  return sorted(merge([...groups.values()]))
}

/** Ports that the same addresses offer share one subset. */
function merge(groups: readonly PortGroup[]): EndpointSubset[] {
  const byAddresses = new Map<string, { ports: EndpointPort[]; addresses: readonly Address[] }>()
  for (const { port, addresses } of groups) {
    const key = [...addresses]
      .map(([name, { isReady }]) => `${name} ${isReady}`)
      .toSorted()
      .join('\n')
    let subset = byAddresses.get(key)
    if (subset === undefined) byAddresses.set(key, (subset = { ports: [], addresses: [...addresses.values()] }))
    if (port !== null) subset.ports.push(port)
  }
  return [...byAddresses.values()].map(({ ports, addresses }) => {
    const ready = addresses.filter(({ isReady }) => isReady).map(({ address }) => address)
    const notReady = addresses.filter(({ isReady }) => !isReady).map(({ address }) => address)
    return {
      ...(ready.length === 0 ? {} : { addresses: ready }),
      ...(notReady.length === 0 ? {} : { notReadyAddresses: notReady }),
      ...(ports.length === 0 ? {} : { ports }),
    }
  })
}

function addressOf(pod: Pod, service: Service): Address | null {
  const publishes = service.spec.publishNotReadyAddresses === true
  if (!isEndpointCandidate(pod, publishes)) return null
  const wantsIpv6 = (service.spec.ipFamilies?.[0] ?? familyOf(service.spec.clusterIP, pod.status?.podIP)) === 'IPv6'
  const ip = (pod.status?.podIPs ?? [])
    .map((entry) => canonicalIp(entry.ip ?? ''))
    .find((text) => text !== '' && text.includes(':') === wantsIpv6)
  if (ip === undefined) return null
  const { namespace, name, uid } = pod.metadata
  const hostname = hostnameOf(pod, service)
  const address = {
    ip,
    ...(hostname === undefined ? {} : { hostname }),
    nodeName: pod.spec.nodeName ?? '',
    targetRef: { kind: 'Pod', namespace: namespace!, name, uid },
  }
  return { address, isReady: publishes || isPodReady(pod) }
}

function familyOf(clusterIp: string | undefined, podIp: string | undefined): string {
  const ip = clusterIp && clusterIp !== 'None' ? clusterIp : (podIp ?? '')
  return ip.includes(':') ? 'IPv6' : 'IPv4'
}

/** A headless Service without ports has addresses all the same. */
function portsOf(service: Service, pod: Pod): (EndpointPort | null)[] {
  const ports = service.spec.ports ?? []
  if (ports.length === 0) return service.spec.clusterIP === 'None' ? [null] : []
  return ports.flatMap((servicePort) => {
    const port = targetPortOf(pod, servicePort)
    if (port === undefined) return []
    const { name, protocol = 'TCP', appProtocol } = servicePort
    return [{ ...(name ? { name } : {}), port, protocol, ...(appProtocol === undefined ? {} : { appProtocol }) }]
  })
}

function sorted(subsets: readonly EndpointSubset[] = []): EndpointSubset[] {
  return subsets
    .map(({ addresses = [], notReadyAddresses = [], ports = [] }) => ({
      ...(addresses.length === 0 ? {} : { addresses: addresses.toSorted(byAddress) }),
      ...(notReadyAddresses.length === 0 ? {} : { notReadyAddresses: notReadyAddresses.toSorted(byAddress) }),
      ...(ports.length === 0 ? {} : { ports: ports.toSorted(byText) }),
    }))
    .toSorted((left, right) => byText(left.ports, right.ports) || byText(left, right))
}

const byText = (left: unknown, right: unknown): number =>
  compare(JSON.stringify(left) ?? '', JSON.stringify(right) ?? '')

function byAddress(left: EndpointAddress, right: EndpointAddress): number {
  return compare(left.ip, right.ip) || compare(left.targetRef?.uid ?? '', right.targetRef?.uid ?? '')
}

const compare = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0)

function labelsOf(service: Service): Record<string, string> {
  const { [HEADLESS_LABEL]: _headless, ...labels } = service.metadata.labels ?? {}
  return { ...labels, ...(isHeadless(service) ? { [HEADLESS_LABEL]: '' } : {}), [MANAGED_BY_LABEL]: MANAGER }
}
