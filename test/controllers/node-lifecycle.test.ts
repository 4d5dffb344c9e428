/** Zones of simulated nodes that fall silent, on the virtual clock: who is emptied, how fast, and when nobody is. */
import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import type { Event, Node, Taint } from '#api/core/v1.gen.ts'
import { EVENTS, NODES } from '#api/resources.gen.ts'
import { createSimulatedCluster, type SimulatedCluster } from '#simulator/simulated-cluster.ts'

const MINUTE_MS = 60_000
const CONTROLLERS = ['node-lifecycle-controller']

async function startCluster(context: TestContext, zones: Readonly<Record<string, number>>): Promise<SimulatedCluster> {
  const nodes = Object.values(zones).reduce((sum, count) => sum + count, 0)
  const cluster = await createSimulatedCluster({ seed: 11, nodes, controllers: CONTROLLERS })
  context.after(() => cluster.close())
  await cluster.runUntil('ready', async () => (await allNodes(cluster)).every((node) => isReady(node)), MINUTE_MS)
  let next = 0
  for (const [zone, count] of Object.entries(zones))
    for (const end = next + count; next < end; next++) {
      const labels = { 'topology.kubernetes.io/zone': zone }
      await cluster.perform(
        cluster.client.patch(NODES, '', cluster.nodeNames[next]!, 'merge', { metadata: { labels } }),
      )
    }
  await cluster.run(20_000)
  return cluster
}

const isReady = ({ status }: Node): boolean =>
  status?.conditions?.find(({ type }) => type === 'Ready')?.status === 'True'

async function allNodes(cluster: SimulatedCluster): Promise<Node[]> {
  const { items } = await cluster.client.list<Node>(NODES, '')
  return cluster.nodeNames.map((name) => items.find(({ metadata }) => metadata.name === name)!).filter(Boolean)
}

const taintsOf = ({ spec }: Node, effect: string): Taint[] =>
  (spec?.taints ?? []).filter((taint) => taint.effect === effect && taint.key === 'node.kubernetes.io/unreachable')

const isEmptied = (node: Node): boolean => taintsOf(node, 'NoExecute').length === 1

function crash(cluster: SimulatedCluster, from: number, to: number): void {
  for (const name of cluster.nodeNames.slice(from, to)) cluster.crashNode(name)
}

test('silent nodes get no new pods at once, and are emptied one every ten seconds', async (context) => {
  const cluster = await startCluster(context, { a: 10 })
  crash(cluster, 0, 4)
  await cluster.run(58_000)
  const silent = (await allNodes(cluster)).slice(0, 4)
  assert.deepEqual(
    silent.map((node) => taintsOf(node, 'NoSchedule').length),
    [1, 1, 1, 1],
  )
  assert.ok(silent.filter(isEmptied).length < 4, 'not all at once')
  await cluster.run(2 * MINUTE_MS)
  const emptied = (await allNodes(cluster)).filter(isEmptied)
  assert.equal(emptied.length, 4)
  const times = emptied.map((node) => Date.parse(taintsOf(node, 'NoExecute')[0]!.timeAdded!)).toSorted((a, b) => a - b)
  for (const [index, time] of times.slice(1).entries()) assert.ok(time - times[index]! >= 9_000, String(times))
  const { items } = await cluster.client.list<Event>(EVENTS, 'default')
  const told = items.filter(({ reason }) => reason === 'NodeNotReady')
  assert.deepEqual(
    new Set(told.map(({ message }) => message)),
    new Set(silent.map(({ metadata: { name } }) => `Node ${name} status is now: NodeNotReady`)),
  )
  for (const name of cluster.nodeNames.slice(0, 4)) cluster.restartNode(name)
  await cluster.run(20_000)
  assert.deepEqual(
    (await allNodes(cluster)).filter((node) => (node.spec?.taints ?? []).length > 0),
    [],
  )
})

test('in a small zone of which most nodes are silent, nobody more is emptied', async (context) => {
  const cluster = await startCluster(context, { a: 8, b: 4 })
  crash(cluster, 0, 6)
  await cluster.run(10 * MINUTE_MS)
  const nodes = await allNodes(cluster)
  assert.equal(nodes.filter(isReady).length, 6)
  const emptied = nodes.filter(isEmptied).length
  assert.ok(emptied <= 3, `${emptied} were emptied`)
  for (const name of cluster.nodeNames.slice(3, 6)) cluster.restartNode(name)
  await cluster.run(2 * MINUTE_MS)
  const left = await allNodes(cluster)
  assert.deepEqual(
    left.map(isEmptied),
    left.map((_, index) => index < 3),
    'the zone is well enough again',
  )
})

test('a zone that is wholly silent is emptied at the normal rate', async (context) => {
  const cluster = await startCluster(context, { a: 4, b: 4 })
  crash(cluster, 0, 4)
  await cluster.run(3 * MINUTE_MS)
  const nodes = await allNodes(cluster)
  assert.deepEqual(
    nodes.map(isEmptied),
    nodes.map((_, index) => index < 4),
  )
})

test('when no node answers any more, nobody is emptied; when some do again, the others get a new chance', async (context) => {
  const cluster = await startCluster(context, { a: 3, b: 3 })
  crash(cluster, 0, 6)
  await cluster.run(10 * MINUTE_MS)
  const silent = await allNodes(cluster)
  assert.equal(silent.filter(isReady).length, 0)
  assert.deepEqual(silent.filter(isEmptied), [])
  for (const name of cluster.nodeNames.slice(0, 3)) cluster.restartNode(name)
  await cluster.run(MINUTE_MS)
  const back = await allNodes(cluster)
  assert.equal(back.slice(0, 3).every(isReady), true)
  await cluster.run(2 * MINUTE_MS)
  assert.deepEqual((await allNodes(cluster)).map(isEmptied), [false, false, false, true, true, true])
})
