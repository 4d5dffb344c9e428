/** Spreading of pods that belong together: by constraints of their own, and by the defaults for pods of Services and workloads. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Node, Pod, Service, TopologySpreadConstraint } from '#api/core/v1.gen.ts'
import type { CycleState, Rejection } from '../framework.ts'
import { listerOf } from '../lister.ts'
import { buildCache, buildNode, buildPlugins, buildPod } from '../testing/builders.ts'

const HOSTNAME = 'kubernetes.io/hostname'
const ZONE = 'topology.kubernetes.io/zone'

const node = (name: string, zone?: string, options: Parameters<typeof buildNode>[1] = {}): Node =>
  buildNode(name, { ...options, labels: { [HOSTNAME]: name, ...(zone === undefined ? {} : { [ZONE]: zone }) } })

function web(
  name: string,
  nodeName?: string,
  extra: Partial<Pod['spec']> = {},
  labels: Record<string, string> = {},
): Pod {
  const pod = buildPod(name, { ...(nodeName === undefined ? {} : { nodeName }), ...extra })
  return { ...pod, metadata: { ...pod.metadata, labels: { app: 'web', ...labels } } }
}

const service = {
  metadata: { name: 'web', namespace: 'default' },
  spec: { selector: { app: 'web' } },
} as unknown as Service

function pluginWith(services: readonly Service[]) {
  return buildPlugins({ services: listerOf(services) }).find(({ plugin }) => plugin.name === 'PodTopologySpread')!
    .plugin
}

/** Normalized scores by node name, or null when the plugin does not score the pod. */
function scores(pod: Pod, nodes: readonly Node[], pods: readonly Pod[], services = [service]): unknown {
  const plugin = pluginWith(services)
  const [cache, state]: [ReturnType<typeof buildCache>, CycleState] = [buildCache(nodes, pods), new Map()]
  if (plugin.preScore!(state, pod, cache.nodes(), cache) === false) return null
  const raw = cache.nodes().map((info) => plugin.score!(state, pod, info))
  plugin.normalizeScores!(state, pod, raw)
  return Object.fromEntries(cache.nodes().map((info, position) => [info.name, raw[position]]))
}

test('a pod of a Service prefers nodes and zones with few of its kind', () => {
  const nodes = [node('a', 'z1'), node('b', 'z1'), node('c', 'z2')]
  const found = scores(web('p'), nodes, [web('q', 'a'), web('r', 'a')]) as Record<string, number>
  assert.ok(found['c']! > found['b']! && found['b']! > found['a']!, JSON.stringify(found))
})

test('a pod that belongs to nothing is not spread', () => {
  assert.equal(scores(web('p'), [node('a', 'z1')], [], []), null)
})

test('a ReplicaSet spreads its pods without a Service', () => {
  const selector = { matchLabels: { app: 'web' } }
  const owner = { metadata: { name: 'rs', namespace: 'default' }, spec: { selector } } as never
  const plugin = buildPlugins({ replicaSets: listerOf([owner]) }).find(
    ({ plugin: { name } }) => name === 'PodTopologySpread',
  )!.plugin
  const pod = web('p')
  const ownerReferences = [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'rs', uid: 'u', controller: true }]
  const owned = { ...pod, metadata: { ...pod.metadata, ownerReferences } }
  const cache = buildCache([node('a', 'z1')])
  assert.equal(plugin.preScore!(new Map(), owned, cache.nodes(), cache), true)
  assert.equal(plugin.preScore!(new Map(), pod, cache.nodes(), cache), false)
})

test('the defaults spread over nodes without a zone too; constraints of the pod demand every key', () => {
  const nodes = [node('a'), node('b')]
  const byDefault = scores(web('p'), nodes, [web('q', 'a')]) as Record<string, number>
  assert.ok(byDefault['b']! > byDefault['a']!, JSON.stringify(byDefault))
  const soft = { maxSkew: 1, whenUnsatisfiable: 'ScheduleAnyway', labelSelector: { matchLabels: { app: 'web' } } }
  const topologySpreadConstraints = [HOSTNAME, ZONE].map((topologyKey) => ({ ...soft, topologyKey }))
  assert.deepEqual(scores(web('p', undefined, { topologySpreadConstraints }), [node('a', 'z1'), node('b')], []), {
    a: 100,
    b: 0,
  })
})

test('scores are weighted by the number of places, like upstream', () => {
  // Three zones: ln(5) = 1.609 a pod. Two pods: round(3.219) = 3, one: 2, none: 0. (3 + 0 - raw) / 3.
  const topologySpreadConstraints = [
    {
      maxSkew: 1,
      topologyKey: ZONE,
      whenUnsatisfiable: 'ScheduleAnyway',
      labelSelector: { matchLabels: { app: 'web' } },
    },
  ]
  const nodes = [node('a', 'z1'), node('b', 'z2'), node('c', 'z3')]
  const pods = [web('q', 'a'), web('r', 'a'), web('s', 'b')]
  assert.deepEqual(scores(web('p', undefined, { topologySpreadConstraints }), nodes, pods), { a: 0, b: 33, c: 100 })
})

const hard = (extra: Partial<TopologySpreadConstraint> = {}): TopologySpreadConstraint[] => [
  {
    maxSkew: 1,
    topologyKey: ZONE,
    whenUnsatisfiable: 'DoNotSchedule',
    labelSelector: { matchLabels: { app: 'web' } },
    ...extra,
  },
]

/** What the filter says of each node. */
function filtered(pod: Pod, nodes: readonly Node[], pods: readonly Pod[]): Record<string, Rejection['code'] | 'fits'> {
  const plugin = pluginWith([])
  const [cache, state]: [ReturnType<typeof buildCache>, CycleState] = [buildCache(nodes, pods), new Map()]
  plugin.preFilter!(state, pod, cache)
  return Object.fromEntries(cache.nodes().map((info) => [info.name, plugin.filter!(state, pod, info)?.code ?? 'fits']))
}

test('minDomains: too few zones count as if one were empty', () => {
  const [nodes, pods] = [
    [node('a', 'z1'), node('b', 'z2')],
    [web('q', 'a'), web('r', 'b')],
  ]
  assert.deepEqual(filtered(web('p', undefined, { topologySpreadConstraints: hard() }), nodes, pods), {
    a: 'fits',
    b: 'fits',
  })
  assert.deepEqual(filtered(web('p', undefined, { topologySpreadConstraints: hard({ minDomains: 3 }) }), nodes, pods), {
    a: 'unschedulable',
    b: 'unschedulable',
  })
})

test('nodeAffinityPolicy: zones out of reach count only when told to', () => {
  const nodes = [node('a', 'z1'), node('b', 'z2')]
  const pods = [web('q', 'a')]
  const picky = { nodeSelector: { [HOSTNAME]: 'a' } }
  const honoring = web('p', undefined, { ...picky, topologySpreadConstraints: hard() })
  assert.equal(filtered(honoring, nodes, pods)['a'], 'fits')
  const ignoring = web('p', undefined, { ...picky, topologySpreadConstraints: hard({ nodeAffinityPolicy: 'Ignore' }) })
  assert.equal(filtered(ignoring, nodes, pods)['a'], 'unschedulable')
})

test('nodeTaintsPolicy: tainted zones count unless told not to', () => {
  const nodes = [node('a', 'z1'), node('b', 'z2', { taints: [{ key: 'k', effect: 'NoSchedule' }] })]
  const pods = [web('q', 'a')]
  assert.equal(filtered(web('p', undefined, { topologySpreadConstraints: hard() }), nodes, pods)['a'], 'unschedulable')
  const honoring = web('p', undefined, { topologySpreadConstraints: hard({ nodeTaintsPolicy: 'Honor' }) })
  assert.equal(filtered(honoring, nodes, pods)['a'], 'fits')
})

test('matchLabelKeys: only pods of the same revision count', () => {
  const nodes = [node('a', 'z1'), node('b', 'z2')]
  const pods = [web('q', 'a', {}, { revision: '1' })]
  const pod = (matchLabelKeys: string[]): Pod =>
    web('p', undefined, { topologySpreadConstraints: hard({ matchLabelKeys }) }, { revision: '2' })
  assert.equal(filtered(pod([]), nodes, pods)['a'], 'unschedulable')
  assert.equal(filtered(pod(['revision']), nodes, pods)['a'], 'fits')
})

test('a node without the key is out for good', () => {
  const pod = web('p', undefined, { topologySpreadConstraints: hard() })
  assert.deepEqual(filtered(pod, [node('a', 'z1'), node('b')], []), { a: 'fits', b: 'unresolvable' })
})
