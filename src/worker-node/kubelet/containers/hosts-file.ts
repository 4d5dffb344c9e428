/** The hostname of a pod and the /etc/hosts its containers share. */
import type { Pod } from '#api/core/v1.gen.ts'
import { isHostNetwork } from '../pods/pod-facts.ts'

export type PodHostname = {
  /** What the containers see as their own name. */
  readonly hostname: string
  /** `subdomain.namespace.svc.cluster.local`, or empty. */
  readonly domain: string
  /** The short name, which /etc/hosts lists beside the full one. */
  readonly short: string
}

/** The kernel's limits: 63 bytes for a DNS label, 64 for a hostname. */
const LABEL_MAX = 63
const HOSTNAME_MAX = 64

export function hostnameOf(pod: Pod, clusterDomain: string): PodHostname {
  const override = pod.spec.hostnameOverride
  if (override) return { hostname: override, domain: '', short: override }
  const short = (pod.spec.hostname || pod.metadata.name.slice(0, LABEL_MAX)).replace(/[-.]+$/, '')
  const domain = pod.spec.subdomain ? `${pod.spec.subdomain}.${pod.metadata.namespace}.svc.${clusterDomain}` : ''
  if (!pod.spec.setHostnameAsFQDN || domain === '') return { hostname: short, domain, short }
  const full = `${short}.${domain}`
  if (full.length > HOSTNAME_MAX) {
    throw new Error(
      `failed to construct FQDN from Pod hostname and cluster domain, FQDN ${full} is too long (64 characters is the max, ${full.length} characters requested)`,
    )
  }
  return { hostname: full, domain, short }
}

const HEADER = '# Kubernetes-managed hosts file.\n'
const HOST_NETWORK_HEADER = '# Kubernetes-managed hosts file (host network).\n'
const OWN_ENTRIES = [
  '127.0.0.1\tlocalhost',
  '::1\tlocalhost ip6-localhost ip6-loopback',
  'fe00::0\tip6-localnet',
  'fe00::0\tip6-mcastprefix',
  'fe00::1\tip6-allnodes',
  'fe00::2\tip6-allrouters',
]

/** `hostFile` is the node's own /etc/hosts: pods on its network keep those names. */
export function renderHostsFile(pod: Pod, names: PodHostname, podIps: readonly string[], hostFile: string): string {
  const aliases = renderAliases(pod)
  if (isHostNetwork(pod)) return `${HOST_NETWORK_HEADER}${hostFile}${aliases}`
  const self = podIps.map((ip) =>
    names.domain === '' ? `${ip}\t${names.short}` : `${ip}\t${names.short}.${names.domain}\t${names.short}`,
  )
  return `${HEADER}${[...OWN_ENTRIES, ...self].join('\n')}\n${aliases}`
}

function renderAliases(pod: Pod): string {
  const aliases = pod.spec.hostAliases ?? []
  if (aliases.length === 0) return ''
  const lines = aliases.map(({ ip, hostnames }) => `${ip}\t${(hostnames ?? []).join('\t')}`)
  return `\n# Entries added by HostAliases.\n${lines.join('\n')}\n`
}
