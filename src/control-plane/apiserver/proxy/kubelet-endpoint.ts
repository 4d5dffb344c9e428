/** Where the kubelet of a node listens, and how to prove each other: the API server's way to logs, exec and attach. */
import { isIPv6 } from 'node:net'
import type { Node } from '#api/core/v1.gen.ts'
import { badRequest } from '#machinery/status-error.ts'

/** PEM texts: our certificate for kubelets, and the authority that signed theirs. */
export type KubeletClientCredentials = {
  readonly certificate: string
  readonly privateKey: string
  readonly certificateAuthority: string
  /** Addresses of a node in the order in which they are tried; missing: what a cluster of this program needs. */
  readonly addressTypes?: readonly string[]
}

export type Endpoint = {
  readonly scheme: 'http' | 'https'
  readonly host: string
  readonly port: number
  /** How to speak TLS: as the kubelets' client, or (to pods and services) without looking at certificates. */
  readonly tls: KubeletClientCredentials | 'insecure'
}

/** The order in which upstream prefers the addresses of a node (--kubelet-preferred-address-types). */
const ADDRESS_TYPES = ['Hostname', 'InternalDNS', 'InternalIP', 'ExternalDNS', 'ExternalIP']
/** Node names are no DNS names here: addresses come first, names only where there are none. */
const PREFERRED_TYPES = ['InternalIP', 'ExternalIP', ...ADDRESS_TYPES]
const KUBELET_PORT = 10250

export function kubeletEndpoint(node: Node, credentials: KubeletClientCredentials): Endpoint {
  const addresses = node.status?.addresses ?? []
  for (const type of credentials.addressTypes ?? PREFERRED_TYPES) {
    const found = addresses.find((address) => address.type === type)
    if (found === undefined) continue
    const port = node.status?.daemonEndpoints?.kubeletEndpoint?.Port || KUBELET_PORT
    return { scheme: 'https', host: found.address, port, tls: credentials }
  }
  throw badRequest(
    `no preferred addresses found; known addresses: [${addresses.map(({ address }) => address).join(' ')}]`,
  )
}

export const authority = ({ host, port }: Endpoint): string => `${isIPv6(host) ? `[${host}]` : host}:${port}`
