/** A part of the addresses behind a Service. */
import type { EndpointSlice } from '#api/discovery/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import { formatAge, formatShortList } from '#api/table-cells.ts'
import { endpointSliceStrategy } from './strategy.ts'

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

export const endpointSliceKind = defineKind<EndpointSlice>('discovery.k8s.io/v1/endpointslices', {
  strategy: endpointSliceStrategy,
  row: (object, nowMs) => [
    object.metadata.name,
    object.addressType ?? '',
    formatPorts(object),
    formatEndpoints(object),
    formatAge(object.metadata.creationTimestamp, nowMs),
  ],
})
