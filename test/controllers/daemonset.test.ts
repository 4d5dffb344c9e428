/** DaemonSets against a whole API server: one pod per node, and a rollout that keeps to its bounds. */
import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import type { ControllerRevision, DaemonSet } from '#api/apps/v1.gen.ts'
import type { Node, Pod } from '#api/core/v1.gen.ts'
import { CONTROLLERREVISIONS, DAEMONSETS, NODES, PODS } from '#api/resources.gen.ts'
import { startTestCluster, type TestCluster } from './test-cluster.ts'

let cluster: TestCluster
before(async () => {
  cluster = await startTestCluster()
})
after(() => cluster.close())

async function pods(): Promise<Pod[]> {
  return (await cluster.client.list<Pod>(PODS, 'default', { labelSelector: 'app=ds' })).items
}

test('each node that fits has one pod, which a rollout replaces', async () => {
  const { client, eventually } = cluster
  for (const [name, zone] of [
    ['n1', 'a'],
    ['n2', 'a'],
    ['n3', 'b'],
  ] as const)
    await client.create<Node>(NODES, { metadata: { name, labels: { zone } }, spec: {} })
  await eventually(async () => ((await client.list<Node>(NODES, '')).items.every(isUntainted) ? true : null))
  const set = await eventually(() =>
    client.create<DaemonSet>(DAEMONSETS, {
      metadata: { name: 'ds', namespace: 'default' },
      spec: {
        selector: { matchLabels: { app: 'ds' } },
        template: {
          metadata: { labels: { app: 'ds' } },
          spec: { nodeSelector: { zone: 'a' }, containers: [{ name: 'c', image: 'one' }] },
        },
      },
    }),
  )
  const first = await eventually(async () => ((await pods()).length === 2 ? pods() : null))
  const status = await eventually(async () => {
    const { status } = await client.get<DaemonSet>(DAEMONSETS, 'default', 'ds')
    return status?.currentNumberScheduled === 2 ? status : null
  })
  assert.equal(status.desiredNumberScheduled, 2)
  assert.equal(status.numberUnavailable, 2)
  const patch = { spec: { template: { spec: { containers: [{ name: 'c', image: 'two' }] } } } }
  await client.patch(DAEMONSETS, 'default', set.metadata.name, 'strategic', patch)
  await eventually(async () => {
    const now = await pods()
    const isDone = now.length === 2 && now.every(({ spec }) => spec.containers[0]?.image === 'two')
    return isDone && now.every(({ metadata }) => !first.some((old) => old.metadata.uid === metadata.uid)) ? true : null
  })
  const revisions = await client.list<ControllerRevision>(CONTROLLERREVISIONS, 'default')
  assert.deepEqual(revisions.items.map(({ revision }) => revision).sort(), [1, 2])
  await client.patch(NODES, '', 'n3', 'merge', { metadata: { labels: { zone: 'a' } } })
  await eventually(async () => ((await pods()).length === 3 ? true : null))
})

function isUntainted({ spec }: Node): boolean {
  return (spec?.taints ?? []).length === 0
}
