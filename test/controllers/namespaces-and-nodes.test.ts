/** The controllers of namespaces and nodes against a whole API server. */
import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import type { ConfigMap, Namespace, Node, Pod, ServiceAccount } from '#api/core/v1.gen.ts'
import { CONFIGMAPS, NAMESPACES, NODES, PODS, SERVICEACCOUNTS } from '#api/resources.gen.ts'
import { isNotFound } from '#machinery/status-error.ts'
import { selectControllers } from '#control-plane/controllers/controller-manager.ts'
import { CONTROLLERS } from '#control-plane/controllers/index.ts'
import { startTestCluster, type TestCluster } from './test-cluster.ts'

let cluster: TestCluster
before(async () => {
  cluster = await startTestCluster({ rootCa: 'PEM', namespaceDeletionGraceMs: 50, clusterCidr: '10.244.0.0/16' })
})
after(() => cluster.close())

test('a namespace gets its ServiceAccount and the root certificate, also when they are deleted or changed', async () => {
  const { client, eventually } = cluster
  await client.create<Namespace>(NAMESPACES, { metadata: { name: 'one' }, spec: {} })
  const account = await eventually(() => client.get<ServiceAccount>(SERVICEACCOUNTS, 'one', 'default'))
  const published = await eventually(() => client.get<ConfigMap>(CONFIGMAPS, 'one', 'kube-root-ca.crt'))
  assert.deepEqual(published.data, { 'ca.crt': 'PEM' })
  await client.update<ConfigMap>(CONFIGMAPS, { ...published, data: { other: 'x' } })
  await client.delete(SERVICEACCOUNTS, 'one', 'default')
  await eventually(async () => {
    const again = await client.get<ServiceAccount>(SERVICEACCOUNTS, 'one', 'default')
    const { data } = await client.get<ConfigMap>(CONFIGMAPS, 'one', 'kube-root-ca.crt')
    return again.metadata.uid !== account.metadata.uid && data?.['ca.crt'] === 'PEM' ? true : null
  })
})

test('a deleted namespace is emptied and goes', async () => {
  const { client, eventually } = cluster
  await client.create<Namespace>(NAMESPACES, { metadata: { name: 'two' }, spec: {} })
  await client.create<ConfigMap>(CONFIGMAPS, { metadata: { name: 'content', namespace: 'two' } })
  await client.delete(NAMESPACES, '', 'two')
  await eventually(() =>
    client.get<Namespace>(NAMESPACES, '', 'two').then(
      () => null,
      (error) => (isNotFound(error) ? true : null),
    ),
  )
})

test('each node gets a range of its own', async () => {
  const { client, eventually } = cluster
  for (const name of ['n1', 'n2']) await client.create<Node>(NODES, { metadata: { name } } as Node)
  const ranges = await Promise.all(
    ['n1', 'n2'].map((name) =>
      eventually(async () => (await client.get<Node>(NODES, '', name)).spec?.podCIDRs?.join(',') ?? null),
    ),
  )
  assert.deepEqual(ranges.toSorted(), ['10.244.0.0/24', '10.244.1.0/24'])
})

test('controllers are selected by name', () => {
  const names = (selection: string[]): string[] => selectControllers(CONTROLLERS, selection).map(({ name }) => name)
  assert.deepEqual(names(['namespace-controller']), ['namespace-controller'])
  assert.equal(names(['*', '-namespace-controller']).includes('namespace-controller'), false)
  assert.throws(() => names(['nobody']), /"nobody" is not in the list of known controllers/)
})

test('a namespace goes as soon as its last pod has gone, not after the whole grace period of it', async () => {
  const { client, eventually } = cluster
  await client.create<Namespace>(NAMESPACES, { metadata: { name: 'busy' }, spec: {} })
  await client.create<Node>(NODES, { metadata: { name: 'n0' } } as Node)
  const spec = { nodeName: 'n0', terminationGracePeriodSeconds: 600, containers: [{ name: 'c', image: 'i' }] }
  await eventually(() => client.get(SERVICEACCOUNTS, 'busy', 'default').catch(() => null))
  await client.create<Pod>(PODS, { metadata: { name: 'p', namespace: 'busy' }, spec })
  await client.delete(NAMESPACES, '', 'busy')
  await eventually(async () => (await client.get<Pod>(PODS, 'busy', 'p')).metadata.deletionTimestamp)
  await client.delete(PODS, 'busy', 'p', { gracePeriodSeconds: 0 })
  await eventually(() =>
    client.get<Namespace>(NAMESPACES, '', 'busy').then(
      () => null,
      (error) => (isNotFound(error) ? true : null),
    ),
  )
})
