/** Decides from the health of each zone how fast its nodes may be emptied: when most are silent, the network is to blame. */
import type { Node } from '#api/core/v1.gen.ts'
import type { NodeLifecycleOptions } from './options.ts'

export type ZoneState = 'Initial' | 'Normal' | 'PartialDisruption' | 'FullDisruption'

/** How many of a zone's nodes are ready and how many are not. */
export type ZoneHealth = { readonly ready: number; readonly notReady: number }

export type DisruptionPlan = {
  /** `enter`: no node of the cluster answers any more; `leave`: the first answers again. */
  readonly mode: 'enter' | 'leave' | 'stay'
  readonly states: ReadonlyMap<string, ZoneState>
  /** Nodes per second, of the zones whose rate is another than before. */
  readonly rates: ReadonlyMap<string, number>
}

const EXCLUDED = 'node.kubernetes.io/exclude-disruption'
/** So few nodes say nothing about their zone. */
const NOT_READY_FEW = 2

/** The node's region and zone; one key for all nodes without. The old labels win, as upstream. */
export function zoneOf({ metadata: { labels = {} } }: Node): string {
  const zone = labels['failure-domain.beta.kubernetes.io/zone'] ?? labels['topology.kubernetes.io/zone'] ?? ''
  const region = labels['failure-domain.beta.kubernetes.io/region'] ?? labels['topology.kubernetes.io/region'] ?? ''
  return region === '' && zone === '' ? '' : `${region}:\0:${zone}`
}

export function isExcludedFromDisruption({ metadata: { labels = {} } }: Node): boolean {
  return Object.hasOwn(labels, EXCLUDED)
}

export function zoneStateOf(
  { ready, notReady }: ZoneHealth,
  { unhealthyZoneThreshold }: NodeLifecycleOptions,
): ZoneState {
  if (ready === 0 && notReady > 0) return 'FullDisruption'
  const share = notReady / (notReady + ready)
  return notReady > NOT_READY_FEW && share >= unhealthyZoneThreshold ? 'PartialDisruption' : 'Normal'
}

/** A whole zone that went silent is emptied as if it were one node after the other: others can take its pods. */
export function evictionRateOf(
  state: ZoneState,
  { ready, notReady }: ZoneHealth,
  options: NodeLifecycleOptions,
): number {
  if (state !== 'PartialDisruption') return options.nodeEvictionRate
  return ready + notReady > options.largeClusterSizeThreshold ? options.secondaryNodeEvictionRate : 0
}

/** `known`: the zones as the last round left them; a zone in which no node is counted any more is forgotten. */
export function planDisruption(
  known: ReadonlyMap<string, ZoneState>,
  health: ReadonlyMap<string, ZoneHealth>,
  options: NodeLifecycleOptions,
): DisruptionPlan {
  const next = new Map([...health].map(([zone, nodes]) => [zone, zoneStateOf(nodes, options)]))
  const before = [...health.keys()].map((zone) => known.get(zone) ?? 'Initial')
  const isDown = [...next.values()].every((state) => state === 'FullDisruption')
  const wasDown = before.every((state) => state === 'FullDisruption')
  if (isDown && wasDown) return { mode: 'stay', states: next, rates: new Map() }
  if (isDown) return { mode: 'enter', states: next, rates: new Map([...next.keys()].map((zone) => [zone, 0])) }
  const changed = [...next].filter(([zone, state]) => wasDown || known.get(zone) !== state)
  return {
    mode: wasDown ? 'leave' : 'stay',
    states: next,
    rates: new Map(changed.map(([zone, state]) => [zone, evictionRateOf(state, health.get(zone)!, options)])),
  }
}
