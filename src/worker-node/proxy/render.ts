/** Turns rulesets into nft's text: a whole table, or the difference between two, to be applied as one transaction. */
import { TABLE, type Ruleset } from './ruleset.ts'

const SET_TYPES: Readonly<Record<string, string>> = {
  services: 'map services { type ipv4_addr . inet_proto . inet_service : verdict; }',
  node_ports: 'map node_ports { type inet_proto . inet_service : verdict; }',
  slots: 'map slots { type ipv4_addr . inet_proto . inet_service . mark : ipv4_addr . inet_service; }',
  node_slots: 'map node_slots { type inet_proto . inet_service . mark : ipv4_addr . inet_service; }',
  no_endpoints: 'set no_endpoints { type ipv4_addr . inet_proto . inet_service; }',
  no_node_endpoints: 'set no_node_endpoints { type inet_proto . inet_service; }',
  cluster_ips: 'set cluster_ips { type ipv4_addr; }',
  hairpin: 'set hairpin { type ipv4_addr . ipv4_addr; }',
}

export const EMPTY_RULESET: Ruleset = { elements: new Map(), chains: new Map(), affinitySets: new Map() }

/** The table without any Service; replaces whatever an earlier run left. */
export function renderTable(podNetwork: string): string {
  return `table ip ${TABLE}
delete table ip ${TABLE}
table ip ${TABLE} {
  ${Object.values(SET_TYPES).join('\n  ')}
  chain services_chain {
    ip daddr . meta l4proto . th dport vmap @services
    fib daddr type local ip daddr != 127.0.0.0/8 meta l4proto . th dport vmap @node_ports
  }
  chain nat_prerouting { type nat hook prerouting priority dstnat; policy accept; jump services_chain; }
  chain nat_output { type nat hook output priority -100; policy accept; jump services_chain; }
  chain nat_postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    meta mark & 0x4000 == 0x4000 masquerade
    ip saddr . ip daddr @hairpin masquerade
    ct original ip daddr @cluster_ips ip saddr != ${podNetwork} fib saddr type != local masquerade
  }
  chain refuse {
    meta l4proto tcp ct state new ip daddr . meta l4proto . th dport @no_endpoints reject with tcp reset
    ct state new ip daddr . meta l4proto . th dport @no_endpoints reject
    meta l4proto tcp ct state new fib daddr type local meta l4proto . th dport @no_node_endpoints reject with tcp reset
    ct state new fib daddr type local meta l4proto . th dport @no_node_endpoints reject
  }
  chain filter_input { type filter hook input priority filter; policy accept; jump refuse; }
  chain filter_forward { type filter hook forward priority filter; policy accept; jump refuse; }
  chain filter_output { type filter hook output priority filter; policy accept; jump refuse; }
}
`
}

/** Commands that turn `old` into `next`; empty when nothing changes. Order matters: nothing may refer to what is not there. */
export function renderChange(old: Ruleset, next: Ruleset): string {
  const lines: string[] = []
  for (const [name, seconds] of next.affinitySets)
    if (old.affinitySets.get(name) !== seconds)
      lines.push(`add set ip ${TABLE} ${name} { type ipv4_addr; flags dynamic,timeout; timeout ${seconds}s; }`)
  const changedChains = [...next.chains].filter(([name, rules]) => !sameRules(old.chains.get(name), rules))
  for (const [name] of changedChains) lines.push(`add chain ip ${TABLE} ${name}`)
  for (const [name, rules] of changedChains) {
    if (old.chains.has(name)) lines.push(`flush chain ip ${TABLE} ${name}`)
    for (const rule of rules) lines.push(`add rule ip ${TABLE} ${name} ${rule}`)
  }
  for (const name of Object.keys(SET_TYPES))
    lines.push(...renderElementChange(name, old.elements.get(name), next.elements.get(name)))
  const goneChains = [...old.chains.keys()].filter((name) => !next.chains.has(name))
  for (const name of goneChains) lines.push(`flush chain ip ${TABLE} ${name}`)
  for (const name of goneChains) lines.push(`delete chain ip ${TABLE} ${name}`)
  for (const name of old.affinitySets.keys())
    if (!next.affinitySets.has(name)) lines.push(`delete set ip ${TABLE} ${name}`)
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`
}

type Elements = ReadonlyMap<string, string>

function renderElementChange(set: string, old: Elements = new Map(), next: Elements = new Map()): string[] {
  const gone = [...old].filter(([key, value]) => next.get(key) !== value).map(([key]) => key)
  const added = [...next].filter(([key, value]) => old.get(key) !== value)
  const lines: string[] = []
  if (gone.length > 0) lines.push(`delete element ip ${TABLE} ${set} { ${gone.join(', ')} }`)
  if (added.length > 0)
    lines.push(
      `add element ip ${TABLE} ${set} { ${added.map(([key, value]) => (value === '' ? key : `${key} : ${value}`)).join(', ')} }`,
    )
  return lines
}

function sameRules(a: readonly string[] | undefined, b: readonly string[]): boolean {
  return a !== undefined && a.length === b.length && a.every((rule, position) => rule === b[position])
}
