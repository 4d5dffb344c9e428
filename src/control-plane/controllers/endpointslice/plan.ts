/** Decides, without any I/O, which EndpointSlices of a Service have to be written so that they show its pods. */
import type { Node, Pod, Service } from '#api/core/v1.gen.ts'
import type { Endpoint, EndpointPort, EndpointSlice } from '#api/discovery/v1.gen.ts'
import { canonicalIp } from '#api/ip.ts'
import { SERVICES } from '#api/resources.gen.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import type { Draft } from '#machinery/meta/template.ts'
import { controllerReference } from '../object-key.ts'
import { isPodReady } from '../pods/pod-state.ts'
import { withHints } from './hints.ts'
import { hostnameOf, isEndpointCandidate, isHeadless, targetPortOf } from './service-pods.ts'
import { TRIGGER_TIME_ANNOTATION } from './trigger-times.ts'

export const MANAGED_BY_LABEL = 'endpointslice.kubernetes.io/managed-by'
export const SERVICE_NAME_LABEL = 'kubernetes.io/service-name'
export const HEADLESS_LABEL = 'service.kubernetes.io/headless'
export const MANAGER = 'endpointslice-controller.k8s.io'
/** A slice stays small enough that one changed pod is a small write and a small watch event. */
export const ENDPOINTS_PER_SLICE_MAX = 100

export type SlicePlan = {
  readonly create: readonly Draft<EndpointSlice>[]
  readonly update: readonly EndpointSlice[]
  readonly delete: readonly EndpointSlice[]
  /** Nodes that pods name and nobody knows: such pods wait. */
  readonly unknownNodes: readonly string[]
}

export type SliceFacts = {
  readonly service: Service
  readonly pods: readonly Pod[]
  readonly slices: readonly EndpointSlice[]
  readonly nodeOf: (name: string) => Node | undefined
  readonly triggerTime: string | undefined
}

type Group = { readonly ports: EndpointPort[]; readonly endpoints: Map<string, Endpoint> }
type Filled = { readonly slice: EndpointSlice | null; endpoints: Endpoint[]; ports: EndpointPort[]; isChanged: boolean }

export function planEndpointSlices(facts: SliceFacts): SlicePlan {
  const { service, slices } = facts
  const types = addressTypesOf(service)
  const unknownNodes = new Set<string>()
  const plan = { create: [] as Draft<EndpointSlice>[], update: [] as EndpointSlice[], delete: [] as EndpointSlice[] }
  for (const type of types) {
    const existing = slices.filter(({ addressType }) => addressType === type)
    const part = planAddressType(facts, type, existing, unknownNodes)
    plan.create.push(...part.create)
    plan.update.push(...part.update)
    plan.delete.push(...part.delete)
  }
  plan.delete.push(...slices.filter(({ addressType }) => !types.includes(addressType)))
  return { ...plan, unknownNodes: [...unknownNodes] }
}

function addressTypesOf({ spec }: Service): string[] {
  if (spec.ipFamilies !== undefined && spec.ipFamilies.length > 0) return [...spec.ipFamilies]
  if (spec.clusterIP && spec.clusterIP !== 'None') return [spec.clusterIP.includes(':') ? 'IPv6' : 'IPv4']
  return ['IPv4', 'IPv6']
}

function planAddressType(
  facts: SliceFacts,
  type: string,
  existing: readonly EndpointSlice[],
  unknownNodes: Set<string>,
): { create: Draft<EndpointSlice>[]; update: EndpointSlice[]; delete: EndpointSlice[] } {
  const { service } = facts
  const groups = desiredGroups(facts, type, unknownNodes)
  const owned = existing.filter((slice) => isOwnedBy(slice, service))
  const foreign = existing.filter((slice) => !isOwnedBy(slice, service))
  const filled = [...groups].flatMap(([key, group]) =>
    fillSlices(
      group,
      owned.filter((slice) => portsKey(slice.ports ?? []) === key),
    ),
  )
  const surplus = owned.filter((slice) => !filled.some((other) => other.slice === slice && other.endpoints.length > 0))
  const wanted = filled.filter(({ endpoints }) => endpoints.length > 0)
  // A Service without endpoints still shows one slice, so that consumers can tell "none" from "not yet known".
  if (wanted.length === 0) wanted.push({ slice: null, endpoints: [], ports: [], isChanged: true })
  reuse(wanted, surplus)
  const labels = sliceLabels(service)
  withHints(service.spec.trafficDistribution, wanted)
  const update = wanted.flatMap((entry) => updated(entry, labels, facts.triggerTime))
  const create =
    service.metadata.deletionTimestamp === undefined
      ? wanted
          .filter(({ slice }) => slice === null)
          .map((entry) => newSlice(service, type, entry, labels, facts.triggerTime))
      : [] // Its slices are about to be collected with it.
  return { create, update, delete: [...foreign, ...surplus] }
}

function desiredGroups(
  { service, pods, nodeOf }: SliceFacts,
  type: string,
  unknownNodes: Set<string>,
): Map<string, Group> {
  const groups = new Map<string, Group>()
  for (const pod of pods) {
    if (!isEndpointCandidate(pod, true)) continue
    const node = nodeOf(pod.spec.nodeName ?? '')
    if (node === undefined && service.spec.publishNotReadyAddresses !== true) {
      unknownNodes.add(pod.spec.nodeName ?? '')
      continue
    }
    const endpoint = endpointOf(pod, node, service, type)
    if (endpoint === null) continue
    const ports = portsOf(service, pod)
    const key = portsKey(ports)
    let group = groups.get(key)
    if (group === undefined) groups.set(key, (group = { ports, endpoints: new Map() }))
    group.endpoints.set(endpointKey(endpoint), endpoint)
  }
  return groups
}

function endpointOf(pod: Pod, node: Node | undefined, service: Service, type: string): Endpoint | null {
  const addresses = (pod.status?.podIPs ?? [])
    .map(({ ip }) => canonicalIp(ip ?? ''))
    .filter((ip) => ip !== '' && ip.includes(':') === (type === 'IPv6'))
  if (addresses.length === 0) return null
  const serving = isPodReady(pod)
  const terminating = pod.metadata.deletionTimestamp !== undefined
  const { namespace, name, uid } = pod.metadata
  const hostname = hostnameOf(pod, service)
  const zone = node?.metadata.labels?.['topology.kubernetes.io/zone']
  return {
    addresses,
    conditions: {
      ready: service.spec.publishNotReadyAddresses === true || (serving && !terminating),
      serving,
      terminating,
    },
    ...(hostname === undefined ? {} : { hostname }),
    targetRef: { kind: 'Pod', namespace: namespace!, name, uid },
    ...(pod.spec.nodeName ? { nodeName: pod.spec.nodeName } : {}),
    ...(zone ? { zone } : {}),
  }
}

function portsOf(service: Service, pod: Pod): EndpointPort[] {
  return (service.spec.ports ?? []).flatMap((servicePort) => {
    const port = targetPortOf(pod, servicePort)
    if (port === undefined) return []
    const { name = '', protocol = 'TCP', appProtocol } = servicePort
    return [{ name, port, protocol, ...(appProtocol === undefined ? {} : { appProtocol }) }]
  })
}

function portsKey(ports: readonly EndpointPort[]): string {
  return JSON.stringify(
    ports
      .map(({ name = '', port, protocol = 'TCP', appProtocol = null }) =>
        JSON.stringify([name, port, protocol, appProtocol]),
      )
      .toSorted(),
  )
}

const endpointKey = ({ addresses, hostname = '', targetRef }: Endpoint): string =>
  `${addresses.join(',')} ${hostname} ${targetRef?.uid ?? ''}`

/** Keeps each endpoint in the slice it is in, fills changed slices first, then one unchanged slice, then new ones. */
function fillSlices({ ports, endpoints }: Group, existing: readonly EndpointSlice[]): Filled[] {
  const left = new Map(endpoints)
  const filled = existing.map((slice): Filled => {
    const current = slice.endpoints ?? []
    const kept = current.flatMap((endpoint) => {
      const key = endpointKey(endpoint)
      const wanted = left.get(key)
      left.delete(key)
      return wanted === undefined ? [] : [wanted]
    })
    const isChanged = kept.length !== current.length || kept.some((e, i) => !isSameEndpoint(e, current[i]!))
    return { slice, endpoints: kept, ports: slice.ports ?? [], isChanged }
  })
  const rest = [...left.values()]
  const take = (entry: Filled): void => {
    entry.endpoints.push(...rest.splice(0, ENDPOINTS_PER_SLICE_MAX - entry.endpoints.length))
  }
  const open = filled.filter(({ isChanged, endpoints: kept }) => isChanged && kept.length > 0)
  for (const entry of open.toSorted((a, b) => b.endpoints.length - a.endpoints.length)) if (rest.length > 0) take(entry)
  while (rest.length > 0) {
    const roomy = filled
      .filter(({ isChanged, endpoints: kept }) => !isChanged && kept.length + rest.length <= ENDPOINTS_PER_SLICE_MAX)
      .toSorted((a, b) => b.endpoints.length - a.endpoints.length)[0]
    const entry = roomy ?? { slice: null, endpoints: [], ports, isChanged: true }
    if (roomy === undefined) filled.push(entry)
    take(entry)
  }
  return filled
}

function isSameEndpoint(left: Endpoint, right: Endpoint): boolean {
  return isSemanticallyEqual({ ...left, hints: undefined }, { ...right, hints: undefined })
}

/** New content goes into slices that would otherwise be deleted: one write instead of two. */
function reuse(wanted: Filled[], surplus: EndpointSlice[]): void {
  for (let i = 0; i < wanted.length && surplus.length > 0; i++)
    if (wanted[i]!.slice === null) wanted[i] = { ...wanted[i]!, slice: surplus.shift()! }
}

function updated(
  { slice, endpoints, ports }: Filled,
  labels: Record<string, string>,
  time: string | undefined,
): EndpointSlice[] {
  if (slice === null) return []
  const isCurrent =
    isSemanticallyEqual(slice.endpoints, endpoints) &&
    portsKey(slice.ports ?? []) === portsKey(ports) &&
    isSemanticallyEqual(slice.metadata.labels, labels)
  if (isCurrent) return []
  const { [TRIGGER_TIME_ANNOTATION]: _old, ...others } = slice.metadata.annotations ?? {}
  const annotations = { ...others, ...(time === undefined ? {} : { [TRIGGER_TIME_ANNOTATION]: time }) }
  return [{ ...slice, metadata: { ...slice.metadata, labels, annotations }, endpoints, ports }]
}

function newSlice(
  service: Service,
  addressType: string,
  { endpoints, ports }: Filled,
  labels: Record<string, string>,
  time: string | undefined,
): Draft<EndpointSlice> {
  const metadata = {
    generateName: `${service.metadata.name}-`,
    namespace: service.metadata.namespace!,
    labels,
    ...(time === undefined ? {} : { annotations: { [TRIGGER_TIME_ANNOTATION]: time } }),
    ownerReferences: [controllerReference(SERVICES, service)],
  }
  return { metadata, addressType, endpoints, ports }
}

/** The Service's labels, and those that say what the slice is. */
function sliceLabels(service: Service): Record<string, string> {
  const { [HEADLESS_LABEL]: _headless, ...labels } = service.metadata.labels ?? {}
  return {
    ...labels,
    ...(isHeadless(service) ? { [HEADLESS_LABEL]: '' } : {}),
    [SERVICE_NAME_LABEL]: service.metadata.name,
    [MANAGED_BY_LABEL]: MANAGER,
  }
}

function isOwnedBy({ metadata }: EndpointSlice, service: Service): boolean {
  return metadata.ownerReferences?.some(({ uid, kind }) => uid === service.metadata.uid && kind === 'Service') ?? false
}
