/** The nftables form of host ports: two maps from a port of the node to a pod, and the translation that reads them. */
import type { HostPort } from '../../host-port-service.ts'

export const TABLE = 'kubets_host_ports'

/** Map name -> key -> `podIp . port`. */
export type Elements = Readonly<Record<MapName, ReadonlyMap<string, string>>>
type MapName = 'everywhere' | 'addressed'
const MAP_NAMES: readonly MapName[] = ['everywhere', 'addressed']

export type PodPorts = { readonly podIp: string; readonly ports: readonly HostPort[] }

/** Later pods win a port that two of them have: the newer one replaces a pod that is on its way out. */
export function elementsOf(pods: Iterable<PodPorts>): Elements {
  const elements = { everywhere: new Map<string, string>(), addressed: new Map<string, string>() }
  for (const { podIp, ports } of pods)
    for (const { protocol, hostIp, hostPort, containerPort } of ports) {
      if (hostIp.includes(':')) continue
      const key = `${protocol.toLowerCase()} . ${hostPort}`
      const target = `${podIp} . ${containerPort}`
      if (hostIp === '') elements.everywhere.set(key, target)
      else elements.addressed.set(`${hostIp} . ${key}`, target)
    }
  return elements
}

/**
 * Makes the table if it is not there and gives it these elements, as one transaction. A pod that reaches itself through the node, and a
 * program of the node that uses a loopback address, are seen by the pod under the node's address: else their answers would not come back.
 * Loopback addresses stay out of reach for everyone else (see `routeLoopback`).
 */
export function renderHostPorts(elements: Elements, reserved: readonly string[]): string {
  const own = reserved.length === 0 ? '' : `ip daddr != { ${reserved.join(', ')} } `
  const podIps = new Set(MAP_NAMES.flatMap((name) => [...elements[name].values()].map(podIpOf)))
  return `table ip ${TABLE} {
  map everywhere { type inet_proto . inet_service : ipv4_addr . inet_service; }
  map addressed { type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service; }
  set hairpin { type ipv4_addr . ipv4_addr; }
  chain translate { }
  chain nat_prerouting { type nat hook prerouting priority dstnat; policy accept; }
  chain nat_output { type nat hook output priority -100; policy accept; }
  chain nat_postrouting { type nat hook postrouting priority srcnat; policy accept; }
  chain filter_input { type filter hook input priority filter; policy accept; }
}
flush table ip ${TABLE}
${MAP_NAMES.map((name) => `flush map ip ${TABLE} ${name}\n`).join('')}flush set ip ${TABLE} hairpin
table ip ${TABLE} {
  chain translate {
    dnat ip to ip daddr . meta l4proto . th dport map @addressed
    ${own}fib daddr type local dnat ip to meta l4proto . th dport map @everywhere
  }
  chain nat_prerouting { jump translate; }
  chain nat_output { jump translate; }
  chain nat_postrouting {
    ip saddr . ip daddr @hairpin masquerade
    ip saddr 127.0.0.0/8 oifname != "lo" masquerade
  }
  chain filter_input { iifname != "lo" ip daddr 127.0.0.0/8 ct state new drop; }
}
${MAP_NAMES.map((name) =>
  renderAdd(
    name,
    [...elements[name]].map(([key, target]) => `${key} : ${target}`),
  ),
).join('')}${renderAdd(
    'hairpin',
    [...podIps].map((ip) => `${ip} . ${ip}`),
  )}`
}

const renderAdd = (set: string, entries: readonly string[]): string =>
  entries.length === 0 ? '' : `add element ip ${TABLE} ${set} { ${entries.join(', ')} }\n`

export const podIpOf = (target: string): string => target.slice(0, target.indexOf(' '))

type Concat = { readonly concat: readonly (string | number)[] }
type Listing = {
  readonly nftables: readonly {
    readonly map?: { readonly name: string; readonly elem?: readonly [Concat, Concat][] }
  }[]
}

/** What `nft -j list table` says of the maps. */
export function parseListing(text: string): Elements {
  const { nftables } = JSON.parse(text) as Listing
  const read = (name: MapName): Map<string, string> => {
    const pairs = nftables.find(({ map }) => map?.name === name)?.map?.elem ?? []
    return new Map(pairs.map(([key, target]) => [key.concat.join(' . '), target.concat.join(' . ')]))
  }
  return { everywhere: read('everywhere'), addressed: read('addressed') }
}

/** UDP ports whose pod changed: their flows have to be forgotten, for a client with a fixed port would stay with the old pod. */
export function changedUdpPorts(old: Elements, next: Elements): number[] {
  const ports = MAP_NAMES.flatMap((name) => {
    const keys = new Set([...old[name].keys(), ...next[name].keys()])
    return [...keys].filter((key) => old[name].get(key) !== next[name].get(key))
  })
  return [...new Set(ports.filter((key) => key.includes('udp . ')).map((key) => Number(key.split(' . ').at(-1))))]
}
