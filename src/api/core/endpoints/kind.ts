/** Addresses behind a Service in the old form. */
import type { EndpointSubset, Endpoints } from '#api/core/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import { formatAge } from '#api/table-cells.ts'
import { endpointsStrategy } from './strategy.ts'

/** How many addresses the table shows. */
const ADDRESSES_SHOWN_MAX = 3

function formatSubsets(subsets: readonly EndpointSubset[]): string {
  if (subsets.length === 0) return '<none>'
  const all: string[] = []
  for (const { addresses = [], ports = [] } of subsets) {
    if (ports.length === 0) all.push(...addresses.map((address) => address.ip))
    for (const port of ports) all.push(...addresses.map((address) => joinHostPort(address.ip, port.port)))
  }
  const text = all.slice(0, ADDRESSES_SHOWN_MAX).join(',')
  return all.length > ADDRESSES_SHOWN_MAX ? `${text} + ${all.length - ADDRESSES_SHOWN_MAX} more...` : text
}

const joinHostPort = (host: string, port: number): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`

export const endpointsKind = defineKind<Endpoints>('v1/endpoints', {
  storagePrefix: 'services/endpoints',
  deprecation: 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
  strategy: endpointsStrategy,
  row: (object, nowMs) => [
    object.metadata.name,
    formatSubsets(object.subsets ?? []),
    formatAge(object.metadata.creationTimestamp, nowMs),
  ],
})
