/** A part of the addresses behind a Service. */
import type { EndpointSlice } from '#api/discovery/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import type { Strategy } from '#api/kind.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import { bumpGeneration } from '#api/strategies.ts'
import { formatAge, formatShortList } from '#api/table-cells.ts'

/** How many ports and addresses the table shows. */
const SHOWN_MAX = 3

function formatPorts(slice: EndpointSlice): string {
  const ports = (slice.ports ?? []).map((port) => (port.port === undefined ? (port.name ?? '*') : String(port.port)))
  return formatShortList(ports, { max: SHOWN_MAX, total: ports.length })
}

function formatEndpoints(slice: EndpointSlice): string {
  const addresses = (slice.endpoints ?? []).flatMap((endpoint) => endpoint.addresses ?? [])
  return formatShortList(addresses, { max: SHOWN_MAX, total: addresses.length })
}

const strategy: Strategy<EndpointSlice> = {
  prepareForCreate(object) {
    object.metadata.generation = 1
  },
  prepareForUpdate(object, old) {
    const isEqual = isSemanticallyEqual(contentOf(object), contentOf(old))
    if (!isEqual) bumpGeneration(object, old)
  },
}

/** What counts as a change: the content and the labels. */
function contentOf({ metadata, addressType, endpoints, ports }: EndpointSlice): unknown {
  return { labels: metadata.labels, addressType, endpoints, ports }
}

export const endpointSliceKind = defineKind<EndpointSlice>('discovery.k8s.io/v1/endpointslices', {
  strategy,
  row: (object, nowMs) => [
    object.metadata.name,
    object.addressType ?? '',
    formatPorts(object),
    formatEndpoints(object),
    formatAge(object.metadata.creationTimestamp, nowMs),
  ],
})
