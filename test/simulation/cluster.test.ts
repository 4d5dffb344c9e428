/** Twenty simulated nodes with a few hundred pods through what happens to clusters, one thing at a time. */
import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { PODS } from '#api/resources.gen.ts'
import { drain, setUnschedulable } from '#simulator/drain.ts'
import { createSimulatedCluster, type SimulatedCluster } from '#simulator/simulated-cluster.ts'
import { MINUTE_MS, converges, createDeployment, nodesReady, scale, setImage, staysQuiet } from './workloads.ts'

const FAULTS = { delayMsMax: 20, lostRequests: 0.002, lostAnswers: 0 }

async function startCluster(context: TestContext, faults = FAULTS): Promise<SimulatedCluster> {
  const cluster = await createSimulatedCluster({ seed: 7, nodes: 20, faults })
  context.after(() => cluster.close())
  await nodesReady(cluster)
  await createDeployment(cluster, { name: 'web', replicas: 150 })
  const rollingUpdate = { maxSurge: 10, maxUnavailable: 0 }
  await createDeployment(cluster, { name: 'shop', replicas: 60, strategy: { type: 'RollingUpdate', rollingUpdate } })
  await createDeployment(cluster, { name: 'jobs', replicas: 40, strategy: { type: 'Recreate' } })
  await converges(cluster, 5 * MINUTE_MS)
  return cluster
}

const podsOn = async (cluster: SimulatedCluster, node: string): Promise<number> =>
  (await cluster.client.list(PODS, '', { fieldSelector: `spec.nodeName=${node}` })).items.length

test('a cluster with 250 pods converges and then is quiet for an hour', async (context) => {
  const cluster = await startCluster(context)
  await staysQuiet(cluster, 60 * MINUTE_MS)
})

test('rollouts go through while watches are lost and components crash', async (context) => {
  const cluster = await startCluster(context)
  for (const name of ['web', 'shop', 'jobs']) await setImage(cluster, name, 'example:2')
  await cluster.run(2000)
  cluster.crashComponent('controllers')
  cluster.loseWatches()
  await cluster.run(5000)
  cluster.restartComponent('controllers')
  await cluster.run(3000)
  cluster.crashComponent('scheduler')
  await cluster.run(3000)
  await cluster.compact()
  cluster.loseWatches()
  cluster.restartComponent('scheduler')
  await converges(cluster, 15 * MINUTE_MS)
  await scale(cluster, 'web', 50)
  await scale(cluster, 'shop', 120)
  await converges(cluster, 5 * MINUTE_MS)
  await staysQuiet(cluster, 10 * MINUTE_MS)
})

test('a drained node is empty and stays empty; its pods run elsewhere', async (context) => {
  const cluster = await startCluster(context)
  assert.ok((await podsOn(cluster, 'node-3')) > 0, 'the node has pods before')
  await drain(cluster, 'node-3', 5 * MINUTE_MS)
  await converges(cluster, 5 * MINUTE_MS)
  assert.equal(await podsOn(cluster, 'node-3'), 0)
  await setUnschedulable(cluster, 'node-3', false)
  await scale(cluster, 'web', 250)
  await converges(cluster, 5 * MINUTE_MS)
  assert.ok((await podsOn(cluster, 'node-3')) > 0, 'the node has pods again')
  await staysQuiet(cluster, 10 * MINUTE_MS)
})

test('pods of a crashed node run elsewhere, and the node is used again when it returns', async (context) => {
  const cluster = await startCluster(context)
  cluster.crashNode('node-5')
  await cluster.run(10 * MINUTE_MS)
  const { items } = await cluster.client.list(PODS, '')
  const alive = items.filter(({ spec, metadata }) => spec.nodeName !== 'node-5' && !metadata.deletionTimestamp)
  assert.equal(alive.length, 250, 'all pods were replaced')
  cluster.restartNode('node-5')
  await converges(cluster, 5 * MINUTE_MS)
  await scale(cluster, 'web', 250)
  await converges(cluster, 5 * MINUTE_MS)
  assert.ok((await podsOn(cluster, 'node-5')) > 0, 'the node has pods again')
  await staysQuiet(cluster, 10 * MINUTE_MS)
})

test('a node that is back before its pods are given up keeps them', async (context) => {
  const cluster = await startCluster(context)
  const uidsOn = async (): Promise<string[]> =>
    (await cluster.client.list(PODS, '', { fieldSelector: 'spec.nodeName=node-5' })).items
      .map(({ metadata }) => metadata.uid)
      .toSorted()
  const before = await uidsOn()
  cluster.crashNode('node-5')
  await cluster.run(2 * MINUTE_MS)
  cluster.restartNode('node-5')
  await converges(cluster, 5 * MINUTE_MS)
  assert.deepEqual(await uidsOn(), before)
})
