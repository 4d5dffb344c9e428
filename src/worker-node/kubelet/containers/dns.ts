/** The resolv.conf of a pod, by its dnsPolicy. */
import type { Pod } from '#api/core/v1.gen.ts'
import { isHostNetwork } from '../pods/pod-facts.ts'

export type DnsSettings = {
  readonly servers: readonly string[]
  readonly searches: readonly string[]
  readonly options: readonly string[]
}

export type DnsFacts = {
  readonly clusterDns: readonly string[]
  readonly clusterDomain: string
  /** The node's own resolv.conf. */
  readonly host: DnsSettings
}

/** What resolvers take at most. */
const NAMESERVERS_MAX = 3
const SEARCHES_MAX = 32

export function parseResolvConf(text: string): DnsSettings {
  const lines = text.split('\n').map((line) =>
    line
      .replace(/[#;].*/, '')
      .trim()
      .split(/\s+/),
  )
  const of = (keyword: string): string[][] => lines.filter(([word]) => word === keyword).map(([, ...rest]) => rest)
  return {
    servers: of('nameserver').flatMap((rest) => rest.slice(0, 1)),
    searches: (of('search').at(-1) ?? []).map((domain) => (domain === '.' ? domain : domain.replace(/\.$/, ''))),
    options: of('options').at(-1) ?? [],
  }
}

export function dnsOf(pod: Pod, facts: DnsFacts): DnsSettings {
  const base = baseSettings(pod, facts)
  const extra = pod.spec.dnsConfig
  const options = mergeOptions(base.options, extra?.options ?? [])
  return {
    servers: unique([...base.servers, ...(extra?.nameservers ?? [])]).slice(0, NAMESERVERS_MAX),
    searches: unique([...base.searches, ...(extra?.searches ?? [])]).slice(0, SEARCHES_MAX),
    options,
  }
}

function baseSettings(pod: Pod, { clusterDns, clusterDomain, host }: DnsFacts): DnsSettings {
  const policy = pod.spec.dnsPolicy ?? 'ClusterFirst'
  if (policy === 'None') return { servers: [], searches: [], options: [] }
  const usesCluster = policy === 'ClusterFirstWithHostNet' || (policy === 'ClusterFirst' && !isHostNetwork(pod))
  if (!usesCluster || clusterDns.length === 0) return host
  const own = [`${pod.metadata.namespace}.svc.${clusterDomain}`, `svc.${clusterDomain}`, clusterDomain]
  return { servers: clusterDns, searches: unique([...own, ...host.searches]), options: ['ndots:5'] }
}

/** The pod's own value wins over the policy's. */
function mergeOptions(
  base: readonly string[],
  extra: readonly { readonly name?: string; readonly value?: string }[],
): string[] {
  const merged = new Map(base.map((option) => [option.split(':')[0]!, option]))
  for (const { name = '', value } of extra) merged.set(name, value === undefined ? name : `${name}:${value}`)
  return [...merged.values()]
}

const unique = (values: readonly string[]): string[] => [...new Set(values)]
