/** ReplicaSets, ReplicationControllers and token Secrets against a whole API server. */
import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import type { Pod, ReplicationController, Secret } from '#api/core/v1.gen.ts'
import type { ClusterRole } from '#api/rbac/v1.gen.ts'
import { CLUSTERROLES, PODS, REPLICATIONCONTROLLERS, SECRETS } from '#api/resources.gen.ts'
import { startTestCluster, type TestCluster } from './test-cluster.ts'

let cluster: TestCluster
before(async () => {
  cluster = await startTestCluster({
    rootCa: 'PEM',
    serviceAccountSigner: async ({ namespace, name, secretName }) => `${namespace}:${name}:${secretName}`,
  })
})
after(() => cluster.close())

async function podsOf(app: string): Promise<Pod[]> {
  const { items } = await cluster.client.list<Pod>(PODS, 'default', { labelSelector: `app=${app}` })
  return items.filter(({ metadata }) => metadata.deletionTimestamp === undefined)
}

test('a ReplicationController has its pods, and takes them away', async () => {
  const { client, eventually } = cluster
  const template = { metadata: { labels: { app: 'rc' } }, spec: { containers: [{ name: 'c', image: 'i' }] } }
  await eventually(async () =>
    client.create<ReplicationController>(REPLICATIONCONTROLLERS, {
      metadata: { name: 'rc', namespace: 'default' },
      spec: { replicas: 3, selector: { app: 'rc' }, template },
    }),
  )
  await eventually(async () => ((await podsOf('rc')).length === 3 ? true : null))
  await client.patch(REPLICATIONCONTROLLERS, 'default', 'rc', 'merge', { spec: { replicas: 1 } })
  await eventually(async () => ((await podsOf('rc')).length === 1 ? true : null))
  const status = await eventually(async () => {
    const { status } = await client.get<ReplicationController>(REPLICATIONCONTROLLERS, 'default', 'rc')
    return status?.replicas === 1 ? status : null
  })
  assert.equal(status.fullyLabeledReplicas, 1)
  await client.delete(REPLICATIONCONTROLLERS, 'default', 'rc', { propagationPolicy: 'Background' })
  await eventually(async () => ((await podsOf('rc')).length === 0 ? true : null))
})

test('a token Secret is filled, and goes with its account', async () => {
  const { client, eventually } = cluster
  await client.create<Secret>(SECRETS, {
    metadata: {
      name: 'token',
      namespace: 'default',
      annotations: { 'kubernetes.io/service-account.name': 'default' },
    },
    type: 'kubernetes.io/service-account-token',
  })
  const data = await eventually(async () => (await client.get<Secret>(SECRETS, 'default', 'token')).data)
  assert.equal(Buffer.from(data['token']!, 'base64').toString(), 'default:default:token')
  assert.equal(Buffer.from(data['ca.crt']!, 'base64').toString(), 'PEM')
})

test('an aggregated ClusterRole follows its parts', async () => {
  const { client, eventually } = cluster
  const rule = { apiGroups: ['example.com'], resources: ['widgets'], verbs: ['get'] }
  await client.create<ClusterRole>(CLUSTERROLES, {
    metadata: { name: 'part', labels: { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' } },
    rules: [rule],
  })
  const found = await eventually(async () =>
    (await client.get<ClusterRole>(CLUSTERROLES, '', 'view')).rules?.find(({ resources }) =>
      resources?.includes('widgets'),
    ),
  )
  assert.deepEqual(found, rule)
})
