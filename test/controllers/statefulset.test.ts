/** StatefulSets against a whole API server: pods come, are updated and go in the order of their ordinals. */
import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import type { StatefulSet } from '#api/apps/v1.gen.ts'
import type { PersistentVolumeClaim, Pod } from '#api/core/v1.gen.ts'
import { PERSISTENTVOLUMECLAIMS, PODS, STATEFULSETS } from '#api/resources.gen.ts'
import { startTestCluster, type TestCluster } from './test-cluster.ts'

let cluster: TestCluster
before(async () => {
  cluster = await startTestCluster()
})
after(() => cluster.close())

const READY = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] }

async function pods(): Promise<Pod[]> {
  return (await cluster.client.list<Pod>(PODS, 'default', { labelSelector: 'app=web' })).items
}

async function makeReady(name: string, image: string): Promise<void> {
  const { client, eventually } = cluster
  const pod = await eventually(async () => {
    const pod = await client.get<Pod>(PODS, 'default', name)
    return pod.spec.containers[0]?.image === image && pod.metadata.deletionTimestamp === undefined ? pod : null
  })
  await client.patch(PODS, 'default', pod.metadata.name, 'strategic', { status: READY }, { subresource: 'status' })
}

test('pods come one after the other, with their claims', async () => {
  const { client, eventually } = cluster
  await eventually(() =>
    client.create<StatefulSet>(STATEFULSETS, {
      metadata: { name: 'web', namespace: 'default' },
      spec: {
        replicas: 2,
        serviceName: 'web',
        selector: { matchLabels: { app: 'web' } },
        template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'one' }] } },
        volumeClaimTemplates: [
          {
            metadata: { name: 'data' },
            spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
          } as unknown as PersistentVolumeClaim,
        ],
      },
    }),
  )
  const first = await eventually(async () => (await pods())[0])
  assert.equal(first.metadata.name, 'web-0')
  assert.equal(first.spec.hostname, 'web-0')
  assert.equal(first.spec.volumes?.[0]?.persistentVolumeClaim?.claimName, 'data-web-0')
  assert.equal((await pods()).length, 1)
  await makeReady('web-0', 'one')
  await makeReady('web-1', 'one')
  const status = await eventually(async () => {
    const { status } = await client.get<StatefulSet>(STATEFULSETS, 'default', 'web')
    return status?.readyReplicas === 2 ? status : null
  })
  assert.equal(status.currentRevision, status.updateRevision)
})

test('an update replaces them from the last one down', async () => {
  const { client, eventually } = cluster
  const patch = { spec: { template: { spec: { containers: [{ name: 'c', image: 'two' }] } } } }
  await client.patch(STATEFULSETS, 'default', 'web', 'strategic', patch)
  await makeReady('web-1', 'two')
  await makeReady('web-0', 'two')
  const status = await eventually(async () => {
    const { status } = await client.get<StatefulSet>(STATEFULSETS, 'default', 'web')
    return status?.updatedReplicas === 2 && status.currentRevision === status.updateRevision ? status : null
  })
  assert.equal(status.currentReplicas, 2)
})

test('scaling down takes the last one, and leaves its claim', async () => {
  const { client, eventually } = cluster
  await client.patch(STATEFULSETS, 'default', 'web', 'merge', { spec: { replicas: 1 } })
  const left = await eventually(async () => ((await pods()).length === 1 ? pods() : null))
  assert.equal(left[0]?.metadata.name, 'web-0')
  const claims = await client.list<PersistentVolumeClaim>(PERSISTENTVOLUMECLAIMS, 'default')
  assert.deepEqual(claims.items.map(({ metadata }) => metadata.name).sort(), ['data-web-0', 'data-web-1'])
})
