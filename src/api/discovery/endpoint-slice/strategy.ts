/** How writes of EndpointSlices are completed and prepared. */
import type { EndpointSlice } from '#api/discovery/v1.gen.ts'
import { ipWarnings } from '#api/ip.ts'
import type { Strategy } from '#api/kind.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import { bumpGeneration } from '#api/strategies.ts'
import { validateEndpointSlice } from './validation.ts'

const MANAGED_BY = 'endpointslice.kubernetes.io/managed-by'
/** They copy addresses from elsewhere, and cannot do better than those. */
const CONTROLLERS = ['endpointslice-controller.k8s.io', 'endpointslicemirroring-controller.k8s.io']

export const endpointSliceStrategy: Strategy<EndpointSlice> = {
  setDefaults(slice) {
    for (const port of slice.ports ?? []) {
      port.name ??= ''
      port.protocol ??= 'TCP'
    }
  },
  prepareForCreate(slice) {
    slice.metadata.generation = 1
    dropTopology(slice)
  },
  prepareForUpdate(slice, old) {
    if (hasChanged(slice, old)) bumpGeneration(slice, old)
    if (!isSemanticallyEqual(slice.endpoints, old.endpoints)) dropTopology(slice)
  },
  validate: (slice) => validateEndpointSlice(slice, null),
  validateUpdate: validateEndpointSlice,
  warnings,
}

function hasChanged(slice: EndpointSlice, old: EndpointSlice): boolean {
  const content = ({ addressType, endpoints, ports, metadata }: EndpointSlice): unknown[] => [
    addressType,
    endpoints,
    ports,
    metadata.labels ?? {},
  ]
  return !isSemanticallyEqual(content(slice), content(old))
}

/** This version of the API no longer writes it. */
function dropTopology({ endpoints = [] }: EndpointSlice): void {
  for (const endpoint of endpoints ?? []) delete endpoint.deprecatedTopology
}

function warnings({ metadata, addressType, endpoints }: EndpointSlice): string[] {
  const found = addressType === 'FQDN' ? ['spec.addressType: FQDN endpoints are deprecated'] : []
  if (CONTROLLERS.includes(metadata.labels?.[MANAGED_BY] ?? '')) return found
  for (const [i, { addresses }] of (endpoints ?? []).entries())
    for (const [j, address] of (addresses ?? []).entries())
      found.push(...ipWarnings(`endpoints[${i}].addresses[${j}]`, address))
  return found
}
