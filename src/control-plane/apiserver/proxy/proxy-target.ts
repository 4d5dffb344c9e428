/** Finds what `…/proxy` of a pod, a service or a node leads to. */
import { isIP } from 'node:net'
import type { Service } from '#api/core/v1.gen.ts'
import type { EndpointSlice } from '#api/discovery/v1.gen.ts'
import { ENDPOINTSLICES, NODES, PODS, SERVICES } from '#api/resources.gen.ts'
import type { RandomSource } from '#base/random.ts'
import type { Client } from '#client/client.ts'
import { badRequest, StatusError } from '#machinery/status-error.ts'
import { kubeletEndpoint, type Endpoint, type KubeletClientCredentials } from './kubelet-endpoint.ts'

export type ProxyTargetOptions = {
  readonly client: Client
  readonly kubeletClient: KubeletClientCredentials
  readonly random: RandomSource
}

type Id = { readonly scheme: '' | 'http' | 'https'; readonly name: string; readonly port: string }

/** Reads `name`, `name:port` or `scheme:name:port`; null for anything else. */
export function parseProxyId(id: string): Id | null {
  const parts = id.split(':')
  if (parts.length === 1 && parts[0] !== '') return { scheme: '', name: parts[0]!, port: '' }
  if (parts.length === 2 && parts[0] !== '') return { scheme: '', name: parts[0]!, port: parts[1]! }
  const [scheme, name, port] = parts
  if (parts.length !== 3 || name === '' || (scheme !== '' && scheme !== 'http' && scheme !== 'https')) return null
  return { scheme, name: name!, port: port! }
}

export async function findProxyTarget(
  resource: string,
  namespace: string,
  id: string,
  options: ProxyTargetOptions,
): Promise<Endpoint> {
  const parsed = parseProxyId(id)
  if (parsed === null) throw badRequest(`invalid ${resource.replace(/s$/, '')} request ${JSON.stringify(id)}`)
  return TARGETS[resource]!(namespace, parsed, options)
}

type FindTarget = (namespace: string, id: Id, options: ProxyTargetOptions) => Promise<Endpoint>

/** What there is behind each resource that has a `proxy`. */
const TARGETS: Readonly<Record<string, FindTarget>> = {
  pods: podTarget,
  services: serviceTarget,
  nodes: (_, id, options) => nodeTarget(id, options),
}

const plain = ({ scheme }: Id, host: string, port: number): Endpoint => ({
  scheme: scheme === '' ? 'http' : scheme,
  host,
  port,
  tls: 'insecure',
})

const defaultPort = ({ scheme }: Id): number => (scheme === 'https' ? 443 : 80)

async function podTarget(namespace: string, id: Id, { client }: ProxyTargetOptions): Promise<Endpoint> {
  const pod = await client.get(PODS, namespace, id.name)
  const declared = pod.spec?.containers.flatMap(({ ports }) => ports ?? [])[0]?.containerPort
  const address = pod.status?.podIP ?? pod.status?.podIPs?.[0]?.ip ?? ''
  if (!isRoutable(address)) throw badRequest('address not allowed')
  return plain(id, address, id.port === '' ? (declared ?? defaultPort(id)) : Number(id.port))
}

/** Loopback and link-local addresses would lead back into this machine. */
function isRoutable(address: string): boolean {
  return isIP(address) !== 0 && !/^(127\.|169\.254\.|0\.|22[4-9]\.|23\d\.|::1$|fe80:|ff)/i.test(address)
}

async function serviceTarget(namespace: string, id: Id, { client, random }: ProxyTargetOptions): Promise<Endpoint> {
  const isNumber = /^\d+$/.test(id.port)
  const portName = isNumber ? portNameOf(await client.get(SERVICES, namespace, id.name), id) : id.port
  const slices = await client.list(ENDPOINTSLICES, namespace, {
    labelSelector: `kubernetes.io/service-name=${id.name}`,
  })
  const candidates = slices.items.flatMap((slice) => endpointsOf(slice, portName))
  if (candidates.length === 0) throw unavailable(`no endpoints available for service ${JSON.stringify(id.name)}`)
  const { address, port } = candidates[Math.floor(random.next() * candidates.length)]!
  return plain(id, address, port)
}

function portNameOf(service: Service, { name, port }: Id): string {
  const found = service.spec?.ports?.find((one) => one.port === Number(port))
  if (found === undefined) throw unavailable(`no service port ${port} found for service ${JSON.stringify(name)}`)
  return found.name ?? ''
}

/** Ready addresses that belong to a pod: others could lead anywhere. */
function endpointsOf(slice: EndpointSlice, portName: string): { address: string; port: number }[] {
  const ports = (slice.ports ?? []).filter((one) => portName === '' || (one.name ?? '') === portName)
  return ports.flatMap(({ port }) =>
    (slice.endpoints ?? [])
      .filter(({ conditions, targetRef }) => conditions?.ready !== false && targetRef?.kind === 'Pod')
      .flatMap(({ addresses }) => (port === undefined ? [] : [{ address: addresses[0]!, port }])),
  )
}

async function nodeTarget(id: Id, { client, kubeletClient }: ProxyTargetOptions): Promise<Endpoint> {
  const kubelet = kubeletEndpoint(await client.get(NODES, '', id.name), kubeletClient)
  if (!isRoutable(kubelet.host)) throw badRequest('address not allowed')
  return id.port === '' || Number(id.port) === kubelet.port ? kubelet : plain(id, kubelet.host, Number(id.port))
}

export const unavailable = (message: string): StatusError =>
  new StatusError({ code: 503, reason: 'ServiceUnavailable', message })
