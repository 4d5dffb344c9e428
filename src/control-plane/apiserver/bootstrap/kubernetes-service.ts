/** Where pods find the API server: the Service `kubernetes` with its Endpoints and EndpointSlice, kept as they should be. */
import { isIPv6 } from 'node:net'
import type { Endpoints, Service } from '#api/core/v1.gen.ts'
import type { EndpointSlice } from '#api/discovery/v1.gen.ts'
import { ENDPOINTS, ENDPOINTSLICES, SERVICES } from '#api/resources.gen.ts'
import type { ResourceRef } from '#api/resource-ref.ts'
import type { Client } from '#client/client.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import type { Draft } from '#machinery/meta/template.ts'
import { isAlreadyExists, isNotFound } from '#machinery/status-error.ts'

const NAMESPACE = 'default'
const NAME = 'kubernetes'
const SERVICE_PORT = 443
const PORT_NAME = 'https'

export type KubernetesServiceOptions = {
  /** The first address of the service range. */
  readonly clusterIp: string
  /** Where the API server really listens. */
  readonly address: string
  readonly port: number
  /** False: somebody else keeps the endpoints of the Service. */
  readonly keepsEndpoints: boolean
}

/** Creates what is missing and corrects what was changed; called again and again. */
export async function reconcileKubernetesService(client: Client, options: KubernetesServiceOptions): Promise<void> {
  await createIfMissing(client, SERVICES, desiredService(options))
  // Endpoints on loopback would send pods to themselves: then there are none.
  if (!options.keepsEndpoints || isLoopback(options.address)) return
  const endpoints = desiredEndpoints(options)
  await createOrUpdate(client, ENDPOINTS, endpoints, (existing) => isSame(existing.subsets, endpoints.subsets))
  const slice = desiredSlice(options)
  await createOrUpdate(
    client,
    ENDPOINTSLICES,
    slice,
    (existing) => isSame(existing.ports, slice.ports) && isSame(existing.endpoints, slice.endpoints),
  )
}

const isLoopback = (address: string): boolean => address.startsWith('127.') || address === '::1'

function desiredService({ clusterIp, port }: KubernetesServiceOptions): Draft<Service> {
  return {
    metadata: { name: NAME, namespace: NAMESPACE, labels: { component: 'apiserver', provider: 'kubernetes' } },
    spec: {
      clusterIP: clusterIp,
      clusterIPs: [clusterIp],
      ipFamilies: [isIPv6(clusterIp) ? 'IPv6' : 'IPv4'],
      ipFamilyPolicy: 'SingleStack',
      sessionAffinity: 'None',
      type: 'ClusterIP',
      ports: [{ name: PORT_NAME, port: SERVICE_PORT, protocol: 'TCP', targetPort: port }],
    },
  }
}

/** The mirroring controller leaves Endpoints with this label alone: the slice below is ours. */
const SKIP_MIRROR = { 'endpointslice.kubernetes.io/skip-mirror': 'true' }

function desiredEndpoints({ address, port }: KubernetesServiceOptions): Draft<Endpoints> {
  return {
    metadata: { name: NAME, namespace: NAMESPACE, labels: SKIP_MIRROR },
    subsets: [{ addresses: [{ ip: address }], ports: [{ name: PORT_NAME, port, protocol: 'TCP' }] }],
  }
}

function desiredSlice({ address, port }: KubernetesServiceOptions): Draft<EndpointSlice> {
  return {
    metadata: { name: NAME, namespace: NAMESPACE, labels: { 'kubernetes.io/service-name': NAME } },
    addressType: isIPv6(address) ? 'IPv6' : 'IPv4',
    endpoints: [{ addresses: [address], conditions: { ready: true } }],
    ports: [{ name: PORT_NAME, port, protocol: 'TCP' }],
  }
}

const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(sorted(a)) === JSON.stringify(sorted(b))

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  )
}

export async function createIfMissing<T extends KubernetesObject>(
  client: Client,
  resource: ResourceRef<T>,
  object: Draft<T>,
): Promise<void> {
  try {
    await client.get(resource, object.metadata.namespace ?? '', object.metadata.name!)
  } catch (error) {
    if (!isNotFound(error)) throw error
    await client.create(resource, object).catch((failure: unknown) => {
      if (!isAlreadyExists(failure)) throw failure // Another API server of this cluster was faster.
    })
  }
}

async function createOrUpdate<T extends KubernetesObject>(
  client: Client,
  resource: ResourceRef<T>,
  object: Draft<T>,
  isCurrent: (existing: T) => boolean,
): Promise<void> {
  const existing = await client.get(resource, NAMESPACE, NAME).catch((error: unknown) => {
    if (isNotFound(error)) return null
    throw error
  })
  if (existing === null) await client.create(resource, object)
  else if (!isCurrent(existing)) await client.update(resource, { ...existing, ...object, metadata: existing.metadata })
}
