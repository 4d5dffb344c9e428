/** Cascading deletion against a whole API server: in the background, in the foreground, and leaving dependents behind. */
import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import type { ConfigMap } from '#api/core/v1.gen.ts'
import { CONFIGMAPS } from '#api/resources.gen.ts'
import { isNotFound } from '#machinery/status-error.ts'
import { startTestCluster, type TestCluster } from './test-cluster.ts'

let cluster: TestCluster
before(async () => {
  cluster = await startTestCluster()
})
after(() => cluster.close())

async function create(name: string, owner?: ConfigMap): Promise<ConfigMap> {
  const ownerReferences =
    owner === undefined
      ? []
      : [
          {
            apiVersion: 'v1',
            kind: 'ConfigMap',
            name: owner.metadata.name,
            uid: owner.metadata.uid,
            blockOwnerDeletion: true,
          },
        ]
  return cluster.client.create<ConfigMap>(CONFIGMAPS, { metadata: { name, namespace: 'default', ownerReferences } })
}

async function untilGone(name: string): Promise<void> {
  await cluster.eventually(() =>
    cluster.client.get(CONFIGMAPS, 'default', name).then(
      () => null,
      (error: unknown) => (isNotFound(error) ? true : null),
    ),
  )
}

test('dependents of a deleted owner go, down to the last level', async () => {
  const owner = await create('a')
  await create('a-a-a', await create('a-a', owner))
  await cluster.client.delete(CONFIGMAPS, 'default', 'a')
  await untilGone('a-a')
  await untilGone('a-a-a')
})

test('a dependent with another owner stays and loses the reference', async () => {
  const [gone, stays] = [await create('b1'), await create('b2')]
  const reference = (owner: ConfigMap) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    name: owner.metadata.name,
    uid: owner.metadata.uid,
  })
  await cluster.client.create<ConfigMap>(CONFIGMAPS, {
    metadata: { name: 'b', namespace: 'default', ownerReferences: [reference(gone), reference(stays)] },
  })
  await cluster.client.delete(CONFIGMAPS, 'default', 'b1')
  const left = await cluster.eventually(async () => {
    const { metadata } = await cluster.client.get<ConfigMap>(CONFIGMAPS, 'default', 'b')
    return metadata.ownerReferences?.length === 1 ? metadata.ownerReferences[0]! : null
  })
  assert.equal(left.name, 'b2')
})

test('an owner deleted in the foreground goes after its dependents', async () => {
  await create('c-c', await create('c'))
  await cluster.client.delete(CONFIGMAPS, 'default', 'c', { propagationPolicy: 'Foreground' })
  await untilGone('c')
  await assert.rejects(cluster.client.get(CONFIGMAPS, 'default', 'c-c'), isNotFound)
})

test('orphans stay without owner', async () => {
  await create('d-d', await create('d'))
  await cluster.client.delete(CONFIGMAPS, 'default', 'd', { propagationPolicy: 'Orphan' })
  await untilGone('d')
  const { metadata } = await cluster.client.get<ConfigMap>(CONFIGMAPS, 'default', 'd-d')
  assert.deepEqual(metadata.ownerReferences ?? [], [])
})
