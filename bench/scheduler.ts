/**
 * What placing a pod costs as the cluster grows: the whole scheduler over a cluster in memory, at 100 and at 5,000 nodes with 30 pods
 * each, next to a bare loop that only checks every node for room. `node bench/scheduler.ts [PODS]`.
 */
import { SystemClock } from '#base/clock.ts'
import { NO_LOG } from '#base/log.ts'
import { SeededRandom } from '#base/random.ts'
import type { Pod, Service } from '#api/core/v1.gen.ts'
import { NODES, PODS, SERVICES } from '#api/resources.gen.ts'
import { podRequests, type Resources } from '#control-plane/scheduler/cache/resources.ts'
import { insufficientResources } from '#control-plane/scheduler/plugins/node-resources-fit.ts'
import { MemoryCluster } from '#control-plane/scheduler/testing/memory-cluster.ts'
import { Scheduler } from '#control-plane/scheduler/scheduler.ts'
import { buildCache, buildNode, buildPod } from '#control-plane/scheduler/testing/builders.ts'

const COUNT = Number(process.argv[2] ?? 500)
const PODS_PER_NODE = 30
const ZONES = 3
const clock = new SystemClock({ keepsProcessAlive: true })

const nodes = (count: number) =>
  Array.from({ length: count }, (_, index) =>
    buildNode(`node-${index}`, {
      allocatable: { cpu: '16', memory: '64Gi' },
      labels: { 'kubernetes.io/hostname': `node-${index}`, 'topology.kubernetes.io/zone': `zone-${index % ZONES}` },
    }),
  )

function pod(name: string, app: string, extra: Partial<Pod['spec']> = {}): Pod {
  const built = buildPod(name, { requests: { cpu: '100m', memory: '128Mi' }, ...extra })
  return { ...built, metadata: { ...built.metadata, labels: { app } } }
}

const running = (nodeCount: number): Pod[] =>
  Array.from({ length: nodeCount * PODS_PER_NODE }, (_, index) =>
    pod(`running-${index}`, `app-${index % 100}`, { nodeName: `node-${index % nodeCount}` }),
  )

type Case = { readonly title: string; readonly spec: Partial<Pod['spec']>; readonly hasService?: boolean }

const labelSelector = { matchLabels: { app: 'app-7' } }
const ZONE = 'topology.kubernetes.io/zone'
const CASES: readonly Case[] = [
  { title: 'plain pods', spec: {} },
  { title: 'pods of a Service (spread by default)', spec: {}, hasService: true },
  {
    title: 'spread over zones, required',
    spec: {
      topologySpreadConstraints: [{ maxSkew: 1, topologyKey: ZONE, whenUnsatisfiable: 'DoNotSchedule', labelSelector }],
    },
  },
  {
    title: 'one to a node (anti-affinity)',
    spec: {
      affinity: {
        podAntiAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [
            { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'app-7', alone: 'yes' } } },
          ],
        },
      },
    },
  },
]

/** Microseconds a pod, from the first pod seen to the last one bound. */
async function measure({ spec, hasService }: Case, nodeCount: number): Promise<number> {
  const cluster = new MemoryCluster()
  cluster.set(NODES, ...nodes(nodeCount))
  for (const one of running(nodeCount)) cluster.set(PODS, one)
  const service = { metadata: { name: 'app-7', namespace: 'default' }, spec: { selector: { app: 'app-7' } } }
  if (hasService === true) cluster.set(SERVICES, service as unknown as Service)
  const abort = new AbortController()
  const scheduler = new Scheduler({
    client: cluster.client,
    informers: cluster,
    clock,
    random: new SeededRandom(1),
    log: NO_LOG,
    events: { event: () => {} },
  })
  const done = scheduler.run(abort.signal)
  await clock.yield()
  const startMs = clock.monotonic()
  for (let index = 0; index < COUNT; index++) cluster.set(PODS, pod(`new-${index}`, 'app-7', spec))
  while (cluster.writes.length < COUNT) await clock.yield()
  const micros = ((clock.monotonic() - startMs) / COUNT) * 1000
  abort.abort()
  await done
  return micros
}

/** Room on every node for one pod, nothing else: what looking at the whole cluster costs at least. */
function bareLoop(nodeCount: number): number {
  const cache = buildCache(nodes(nodeCount), running(nodeCount))
  const requests: Resources = podRequests(pod('p', 'app-7'))
  let fitting = 0
  const startMs = clock.monotonic()
  for (let round = 0; round < COUNT; round++)
    for (const node of cache.nodes()) if (insufficientResources(requests, node).length === 0) fitting++
  const micros = ((clock.monotonic() - startMs) / COUNT) * 1000
  if (fitting !== COUNT * nodeCount) throw new Error('the nodes of the bench are too small')
  return micros
}

console.log(`${COUNT} pods, ${PODS_PER_NODE} others on each node; microseconds a pod`)
const [small, large] = [100, 5000]
const floor = bareLoop(large)
console.log(`${'floor: room on each of 5,000 nodes'.padEnd(42)}${floor.toFixed(0).padStart(8)} us`)
for (const one of CASES) {
  const [few, many] = [await measure(one, small), await measure(one, large)]
  console.log(
    `${one.title.padEnd(42)}${many.toFixed(0).padStart(8)} us at 5,000 nodes  ${(1e6 / many).toFixed(0).padStart(6)} pods/s  ` +
      `${(many / floor).toFixed(1)} floors  ${(many / few).toFixed(1)} times the cost at 100 nodes`,
  )
}
