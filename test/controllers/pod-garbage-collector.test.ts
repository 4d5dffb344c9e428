/** Pods that no kubelet will end, against a whole API server. */
import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import type { Node, Pod } from '#api/core/v1.gen.ts'
import { NODES, PODS } from '#api/resources.gen.ts'
import { startTestCluster, type TestCluster } from './test-cluster.ts'

let cluster: TestCluster
before(async () => {
  cluster = await startTestCluster({ controllers: ['serviceaccount-controller', 'pod-garbage-collector-controller'] })
})
after(() => cluster.close())

const createPod = (name: string, nodeName?: string): Promise<Pod> =>
  cluster.eventually(() =>
    cluster.client.create<Pod>(PODS, {
      metadata: { name, namespace: 'default', finalizers: ['example.com/hold'] },
      spec: { ...(nodeName === undefined ? {} : { nodeName }), containers: [{ name: 'c', image: 'i' }] },
    }),
  )

test('a terminating pod of a node that is out of service fails and goes', async () => {
  const { client, eventually } = cluster
  await client.create<Node>(NODES, { metadata: { name: 'down' }, spec: {} })
  await createPod('stuck', 'down')
  await client.delete(PODS, 'default', 'stuck')
  assert.equal((await client.get<Pod>(PODS, 'default', 'stuck')).status?.phase, 'Pending')
  const taints = [{ key: 'node.kubernetes.io/out-of-service', value: 'nodeshutdown', effect: 'NoExecute' }]
  await client.patch(NODES, '', 'down', 'merge', { spec: { taints } })
  await eventually(async () => {
    const { metadata, status } = await client.get<Pod>(PODS, 'default', 'stuck')
    return status?.phase === 'Failed' && metadata.deletionGracePeriodSeconds === 0 ? true : null
  })
})
