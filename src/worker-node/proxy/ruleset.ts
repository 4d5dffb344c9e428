/**
 * The nftables form of the plan. Two maps carry nearly everything: `services` sends an address to a chain that draws one of N slots, and
 * `slots` turns address and slot into an endpoint; so one changed Service changes some elements and no rule. The slot travels in the
 * packet's mark. Only Services with session affinity have chains of their own.
 */
import type { ProxiedPort, Target } from './plan-services.ts'

export const TABLE = 'kubets_proxy'

/** Marks: below this the slot of inside traffic; the bit itself asks for masquerading (upstream's 0x4000). */
const MASQUERADE_MARK = 0x4000
/** Slots of external traffic that keeps its source address. */
const LOCAL_MARK = 0x8000

/** Everything of the ruleset that depends on Services: elements by set or map, and chains by name. */
export type Ruleset = {
  /** `set name` -> (element key -> value; '' for a set). */
  readonly elements: ReadonlyMap<string, ReadonlyMap<string, string>>
  /** chain name -> its rules. */
  readonly chains: ReadonlyMap<string, readonly string[]>
  /** Dynamic sets of clients with affinity: name -> timeout in seconds. */
  readonly affinitySets: ReadonlyMap<string, number>
}

const ELEMENT_SETS = [
  'services',
  'node_ports',
  'slots',
  'node_slots',
  'no_endpoints',
  'no_node_endpoints',
  'cluster_ips',
  'hairpin',
] as const
type ElementSet = (typeof ELEMENT_SETS)[number]

/** Collects a ruleset; equal names must get equal content. */
class RulesetBuilder {
  readonly elements = new Map<string, Map<string, string>>(ELEMENT_SETS.map((name) => [name, new Map()]))
  readonly chains = new Map<string, readonly string[]>()
  readonly affinitySets = new Map<string, number>()
  readonly podNetwork: string
  constructor(podNetwork: string) {
    this.podNetwork = podNetwork
  }

  add(set: ElementSet, key: string, value = ''): void {
    this.elements.get(set)!.set(key, value)
  }

  /** A chain that draws one of `count` slots and translates; shared by all ports with that many endpoints. */
  pickChain(slots: 'slots' | 'node_slots', count: number, mark: number): string {
    const kind = mark === MASQUERADE_MARK ? 'masquerade' : mark === LOCAL_MARK ? 'local' : 'inside'
    const name = `pick_${kind}_${slots}_${count}`
    const key =
      slots === 'slots' ? 'ip daddr . meta l4proto . th dport . meta mark' : 'meta l4proto . th dport . meta mark'
    this.chains.set(name, [
      `meta mark set numgen random mod ${count} offset ${mark}`,
      `dnat ip to ${key} map @${slots}`,
    ])
    return name
  }

  /** External traffic under policy Local: clients outside stay on this node, clients inside the cluster reach all endpoints. */
  localChain(slots: 'slots' | 'node_slots', localCount: number, clusterCount: number): string {
    const name = `local_${slots}_${localCount}_of_${clusterCount}`
    const all = clusterCount === 0 ? 'drop' : `goto ${this.pickChain(slots, clusterCount, MASQUERADE_MARK)}`
    const here = localCount === 0 ? 'drop' : `goto ${this.pickChain(slots, localCount, LOCAL_MARK)}`
    this.chains.set(name, [`ip saddr ${this.podNetwork} ${all}`, `fib saddr type local ${all}`, here])
    return name
  }
}

export type RulesetOptions = {
  /** All pods of the cluster. */
  readonly podNetwork: string
  /** Pods of this node: only they can meet themselves through a Service. */
  readonly isLocalPod: (ip: string) => boolean
}

export function buildRuleset(ports: readonly ProxiedPort[], options: RulesetOptions): Ruleset {
  const builder = new RulesetBuilder(options.podNetwork)
  for (const port of ports) {
    addInternal(builder, port)
    for (const ip of port.externalIps) addExternal(builder, port, ip)
    if (port.nodePort !== 0) addNodePort(builder, port)
    for (const { ip } of port.internal) if (options.isLocalPod(ip)) builder.add('hairpin', `${ip} . ${ip}`)
  }
  return builder
}

function addInternal(builder: RulesetBuilder, port: ProxiedPort): void {
  const key = `${port.clusterIp} . ${port.protocol} . ${port.port}`
  builder.add('cluster_ips', port.clusterIp)
  if (port.internal.length === 0) return builder.add('no_endpoints', key)
  if (port.affinitySeconds > 0)
    return builder.add('services', key, `goto ${affinityChain(builder, port, 'inside', port.internal)}`)
  builder.add('services', key, `goto ${builder.pickChain('slots', port.internal.length, 0)}`)
  addSlots(builder, 'slots', key, port.internal, 0)
}

function addExternal(builder: RulesetBuilder, port: ProxiedPort, ip: string): void {
  const key = `${ip} . ${port.protocol} . ${port.port}`
  const verdict = externalVerdict(builder, port, 'slots', key)
  if (verdict === null) return builder.add('no_endpoints', key)
  if (port.sourceRanges.length === 0) return builder.add('services', key, verdict)
  const chain = `firewall_${chainSuffix(port)}`
  builder.chains.set(chain, [`ip saddr != { ${port.sourceRanges.join(', ')} } drop`, verdict])
  builder.add('services', key, `goto ${chain}`)
}

function addNodePort(builder: RulesetBuilder, port: ProxiedPort): void {
  const key = `${port.protocol} . ${port.nodePort}`
  const verdict = externalVerdict(builder, port, 'node_slots', key)
  if (verdict === null) builder.add('no_node_endpoints', key)
  else builder.add('node_ports', key, verdict)
}

/** Null: nothing answers anywhere, so the client is refused. */
function externalVerdict(
  builder: RulesetBuilder,
  port: ProxiedPort,
  slots: 'slots' | 'node_slots',
  key: string,
): string | null {
  const everywhere = port.cluster
  if (everywhere.length === 0 && (port.externalLocal ?? []).length === 0) return null
  if (port.affinitySeconds > 0) return `goto ${externalAffinityChain(builder, port)}`
  if (everywhere.length > 0) addSlots(builder, slots, key, everywhere, MASQUERADE_MARK)
  if (port.externalLocal === null) return `goto ${builder.pickChain(slots, everywhere.length, MASQUERADE_MARK)}`
  addSlots(builder, slots, key, port.externalLocal, LOCAL_MARK)
  return `goto ${builder.localChain(slots, port.externalLocal.length, everywhere.length)}`
}

function addSlots(
  builder: RulesetBuilder,
  slots: 'slots' | 'node_slots',
  key: string,
  targets: readonly Target[],
  mark: number,
): void {
  for (const [slot, { ip, port }] of targets.entries()) builder.add(slots, `${key} . ${mark + slot}`, `${ip} . ${port}`)
}

/** A client seen within the timeout goes where it went; a new one is drawn and remembered. */
function affinityChain(builder: RulesetBuilder, port: ProxiedPort, kind: string, targets: readonly Target[]): string {
  const base = `${kind}_${chainSuffix(port)}`
  const known: string[] = []
  const draws: string[] = []
  for (const [slot, target] of targets.entries()) {
    const [set, chain] = [`clients_${base}_${targetSuffix(target)}`, `endpoint_${base}_${targetSuffix(target)}`]
    builder.affinitySets.set(set, port.affinitySeconds)
    builder.chains.set(chain, [
      `update @${set} { ip saddr }`,
      `meta l4proto ${port.protocol} dnat ip to ${target.ip}:${target.port}`,
    ])
    known.push(`ip saddr @${set} goto ${chain}`)
    draws.push(`${slot} : goto ${chain}`)
  }
  builder.chains.set(`affinity_${base}`, [...known, `numgen random mod ${targets.length} vmap { ${draws.join(', ')} }`])
  return `affinity_${base}`
}

function externalAffinityChain(builder: RulesetBuilder, port: ProxiedPort): string {
  const name = `external_${chainSuffix(port)}`
  const mark = `meta mark set meta mark | ${MASQUERADE_MARK}`
  const all = port.cluster.length === 0 ? 'drop' : `goto ${affinityChain(builder, port, 'all', port.cluster)}`
  if (port.externalLocal === null) builder.chains.set(name, [mark, all])
  else {
    const masqueraded = `masqueraded_${chainSuffix(port)}`
    builder.chains.set(masqueraded, [mark, all])
    const here =
      port.externalLocal.length === 0 ? 'drop' : `goto ${affinityChain(builder, port, 'here', port.externalLocal)}`
    builder.chains.set(name, [
      `ip saddr ${builder.podNetwork} goto ${masqueraded}`,
      `fib saddr type local goto ${masqueraded}`,
      here,
    ])
  }
  return name
}

/** Chain names take letters, digits and `_`; a Service's cluster address, protocol and port are as unique as its name. */
const chainSuffix = (port: ProxiedPort): string =>
  `${port.clusterIp.replaceAll('.', '_')}_${port.protocol}_${port.port}`
const targetSuffix = ({ ip, port }: Target): string => `${ip.replaceAll('.', '_')}_${port}`
