/** Claims that wait for their first consumer: the scheduler chooses node and volume together, the binder completes it, the pod runs there. */
import assert from 'node:assert/strict'
import test from 'node:test'
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '#api/core/v1.gen.ts'
import { PERSISTENTVOLUMECLAIMS, PERSISTENTVOLUMES, PODS, STORAGECLASSES } from '#api/resources.gen.ts'
import type { StorageClass } from '#api/storage/v1.gen.ts'
import { createSimulatedCluster, type SimulatedCluster } from '#simulator/simulated-cluster.ts'
import { MINUTE_MS, nodesReady } from './workloads.ts'

const WAITING = 'WaitForFirstConsumer'

async function claimAndPod(cluster: SimulatedCluster, name: string): Promise<void> {
  const { client } = cluster
  const metadata = { name, namespace: 'default' }
  await cluster.perform(
    client.create<PersistentVolumeClaim>(PERSISTENTVOLUMECLAIMS, {
      metadata,
      spec: { accessModes: ['ReadWriteOnce'], storageClassName: name, resources: { requests: { storage: '1Gi' } } },
    }),
  )
  await cluster.perform(
    client.create<Pod>(PODS, {
      metadata,
      spec: {
        volumes: [{ name: 'v', persistentVolumeClaim: { claimName: name } }],
        containers: [{ name: 'c', image: 'i' }],
      },
    }),
  )
}

const readPod = (cluster: SimulatedCluster, name: string): Promise<Pod> => cluster.client.get(PODS, 'default', name)
const readClaim = (cluster: SimulatedCluster, name: string): Promise<PersistentVolumeClaim> =>
  cluster.client.get(PERSISTENTVOLUMECLAIMS, 'default', name)

test('a pod goes to the node that has the volume, and one waits for its provisioner', async (context) => {
  const cluster = await createSimulatedCluster({ seed: 5, nodes: 5 })
  context.after(() => cluster.close())
  await nodesReady(cluster)
  const { client } = cluster
  await cluster.run(5_000)
  for (const [name, provisioner] of [
    ['local', 'kubernetes.io/no-provisioner'],
    ['made', 'example.com/disk'],
  ] as const)
    await cluster.perform(
      client.create<StorageClass>(STORAGECLASSES, { metadata: { name }, provisioner, volumeBindingMode: WAITING }),
    )
  const values = ['node-4']
  const matchExpressions = [{ key: 'kubernetes.io/hostname', operator: 'In', values }]
  await cluster.perform(
    client.create<PersistentVolume>(PERSISTENTVOLUMES, {
      metadata: { name: 'on-node-4' },
      spec: {
        capacity: { storage: '2Gi' },
        accessModes: ['ReadWriteOnce'],
        local: { path: '/srv/x' },
        storageClassName: 'local',
        nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions }] } },
      },
    }),
  )
  await claimAndPod(cluster, 'local')
  const runs = async (name: string): Promise<boolean> => (await readPod(cluster, name)).status?.phase === 'Running'
  await cluster.runUntil('the pod runs', () => runs('local'), MINUTE_MS)
  assert.equal((await readPod(cluster, 'local')).spec.nodeName, 'node-4')
  assert.equal((await readClaim(cluster, 'local')).status?.phase, 'Bound')

  await claimAndPod(cluster, 'made')
  const annotationsOf = async (name: string): Promise<Readonly<Record<string, string>>> =>
    (await readClaim(cluster, name)).metadata.annotations ?? {}
  const isAsked = async (): Promise<boolean> =>
    (await annotationsOf('made'))['volume.kubernetes.io/storage-provisioner'] === 'example.com/disk'
  await cluster.runUntil('the provisioner is asked', isAsked, MINUTE_MS)
  const node = (await annotationsOf('made'))['volume.kubernetes.io/selected-node']
  assert.ok(cluster.nodeNames.includes(node!), 'the scheduler has chosen a node')
  assert.equal((await readPod(cluster, 'made')).spec.nodeName, undefined, 'the pod waits for the volume')
  const { name, namespace, uid } = (await readClaim(cluster, 'made')).metadata
  await cluster.perform(
    client.create<PersistentVolume>(PERSISTENTVOLUMES, {
      metadata: { name: 'made', annotations: { 'pv.kubernetes.io/provisioned-by': 'example.com/disk' } },
      spec: {
        capacity: { storage: '1Gi' },
        accessModes: ['ReadWriteOnce'],
        csi: { driver: 'example.com', volumeHandle: 'x' },
        storageClassName: 'made',
        persistentVolumeReclaimPolicy: 'Delete',
        claimRef: { kind: 'PersistentVolumeClaim', apiVersion: 'v1', name, namespace: namespace!, uid },
      },
    }),
  )
  await cluster.runUntil('the pod runs', () => runs('made'), MINUTE_MS)
  assert.equal((await readPod(cluster, 'made')).spec.nodeName, node)
})
