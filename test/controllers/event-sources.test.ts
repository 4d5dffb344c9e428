/** The components that the controllers' events name as their source. */
import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import type { Deployment, StatefulSet } from '#api/apps/v1.gen.ts'
import type { Event, Node, ReplicationController } from '#api/core/v1.gen.ts'
import type { PodDisruptionBudget } from '#api/policy/v1.gen.ts'
import {
  DEPLOYMENTS,
  EVENTS,
  NODES,
  PODDISRUPTIONBUDGETS,
  REPLICATIONCONTROLLERS,
  STATEFULSETS,
} from '#api/resources.gen.ts'
import { startTestCluster, type TestCluster } from './test-cluster.ts'

let cluster: TestCluster
before(async () => {
  cluster = await startTestCluster({ rootCa: 'PEM' })
})
after(() => cluster.close())

async function sourceOf(reason: string, kind: string): Promise<string> {
  return cluster.eventually(async () => {
    const { items } = await cluster.client.list<Event>(EVENTS, 'default')
    const event = items.find((event) => event.reason === reason && event.involvedObject.kind === kind)
    if (event === undefined) return null
    assert.equal(event.reportingComponent, event.source?.component)
    return event.source?.component
  })
}

test('each controller names itself', async () => {
  const { client, eventually } = cluster
  const template = { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'c', image: 'i' }] } }
  const selector = { matchLabels: { app: 'a' } }
  const metadata = { name: 'a', namespace: 'default' }
  await client.create<Node>(NODES, { metadata: { name: 'n' } } as Node)
  await client.create<Deployment>(DEPLOYMENTS, { metadata, spec: { replicas: 1, selector, template } })
  await client.create<StatefulSet>(STATEFULSETS, { metadata, spec: { selector, template, serviceName: 'a' } })
  await eventually(() =>
    client.create<ReplicationController>(REPLICATIONCONTROLLERS, {
      metadata,
      spec: { selector: { app: 'a' }, template },
    }),
  )
  await client.create<PodDisruptionBudget>(PODDISRUPTIONBUDGETS, {
    metadata,
    spec: { minAvailable: 1, selector: { matchLabels: { app: 'nobody' } } },
  })
  assert.equal(await sourceOf('RegisteredNode', 'Node'), 'node-controller')
  assert.equal(await sourceOf('ScalingReplicaSet', 'Deployment'), 'deployment-controller')
  assert.equal(await sourceOf('SuccessfulCreate', 'ReplicaSet'), 'replicaset-controller')
  assert.equal(await sourceOf('SuccessfulCreate', 'StatefulSet'), 'statefulset-controller')
  assert.equal(await sourceOf('SuccessfulCreate', 'ReplicationController'), 'replication-controller')
  assert.equal(await sourceOf('NoPods', 'PodDisruptionBudget'), 'controllermanager')
})
