/** ResourceQuotas against a whole API server: counted by the controller, enforced by admission. */
import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import type { Deployment } from '#api/apps/v1.gen.ts'
import type { ConfigMap, Namespace, Pod, ResourceQuota, Service } from '#api/core/v1.gen.ts'
import { CONFIGMAPS, DEPLOYMENTS, EVENTS, NAMESPACES, PODS, RESOURCEQUOTAS, SERVICES } from '#api/resources.gen.ts'
import { startTestCluster, type TestCluster } from './test-cluster.ts'

let cluster: TestCluster
before(async () => {
  cluster = await startTestCluster({ rootCa: 'PEM' })
})
after(() => cluster.close())

async function namespaceWith(name: string, spec: ResourceQuota['spec']): Promise<void> {
  const { client, eventually } = cluster
  await client.create<Namespace>(NAMESPACES, { metadata: { name }, spec: {} })
  await client.create<ResourceQuota>(RESOURCEQUOTAS, { metadata: { name: 'q', namespace: name }, spec: spec! })
  await eventually(async () => (await client.get<ResourceQuota>(RESOURCEQUOTAS, name, 'q')).status?.used)
  await eventually(() => client.get(CONFIGMAPS, name, 'kube-root-ca.crt'))
}

const used = (namespace: string, expected: Record<string, string>): Promise<boolean> =>
  cluster.eventually(async () => {
    const { status } = await cluster.client.get<ResourceQuota>(RESOURCEQUOTAS, namespace, 'q')
    assert.deepEqual(status?.used, expected)
    return true
  })

const pod = (namespace: string, name: string, more: object = {}): Promise<Pod> =>
  cluster.client.create<Pod>(PODS, {
    metadata: { name, namespace },
    spec: { containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: '100m' } } }], ...more },
  })

test('a quota counts what there is, refuses what is too much, and gives back what is gone', async () => {
  const { client, eventually } = cluster
  await namespaceWith('a', { hard: { pods: '2', 'requests.cpu': '1', 'count/deployments.apps': '1', configmaps: '9' } })
  await eventually(() => pod('a', 'one'))
  await pod('a', 'two')
  await assert.rejects(pod('a', 'three'), {
    message: 'pods "three" is forbidden: exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2',
  })
  await used('a', { pods: '2', 'requests.cpu': '200m', 'count/deployments.apps': '0', configmaps: '1' })
  await client.delete(PODS, 'a', 'one', { gracePeriodSeconds: 0 })
  await used('a', { pods: '1', 'requests.cpu': '100m', 'count/deployments.apps': '0', configmaps: '1' })
  await client.patch(PODS, 'a', 'two', 'merge', { status: { phase: 'Succeeded' } }, { subresource: 'status' })
  await used('a', { pods: '0', 'requests.cpu': '0', 'count/deployments.apps': '0', configmaps: '1' })
})

test('objects of any group are counted; other limits are news, events count for nothing', async () => {
  const { client, eventually } = cluster
  await namespaceWith('b', { hard: { 'count/deployments.apps': '1', 'count/events': '0' } })
  const template = { metadata: { labels: { app: 'x' } }, spec: { containers: [{ name: 'c', image: 'i' }] } }
  const deployment = (name: string): Promise<Deployment> =>
    client.create<Deployment>(DEPLOYMENTS, {
      metadata: { name, namespace: 'b' },
      spec: { replicas: 0, selector: { matchLabels: { app: 'x' } }, template },
    })
  await deployment('one')
  await assert.rejects(deployment('two'), /exceeded quota: q, requested: count\/deployments.apps=1/)
  const involvedObject = { kind: 'Pod', namespace: 'b', name: 'p' }
  await client.create(EVENTS, { metadata: { name: 'e', namespace: 'b' }, involvedObject, reason: 'R' } as never)
  await client.patch(RESOURCEQUOTAS, 'b', 'q', 'merge', { spec: { hard: { 'count/deployments.apps': '2' } } })
  await eventually(() => deployment('two'))
  await used('b', { 'count/deployments.apps': '2' })
})

test('a change of a service is charged, and what it gives back is counted', async () => {
  const { client, eventually } = cluster
  await namespaceWith('c', { hard: { services: '5', 'services.nodeports': '1' } })
  const service = (name: string): Promise<Service> =>
    client.create<Service>(SERVICES, {
      metadata: { name, namespace: 'c' },
      spec: { type: 'NodePort', ports: [{ port: 80 }] },
    })
  await eventually(() => service('one'))
  await assert.rejects(service('two'), /exceeded quota: q, requested: services.nodeports=1, used: services.nodeports=1/)
  await client.patch(SERVICES, 'c', 'one', 'merge', { spec: { type: 'ClusterIP' } })
  await used('c', { services: '1', 'services.nodeports': '0' })
  await service('two')
})

test('a pod that comes into a scope is charged there', async () => {
  const { client, eventually } = cluster
  await namespaceWith('d', { hard: { pods: '0' }, scopes: ['Terminating'] })
  await eventually(() => pod('d', 'one'))
  const limited = client.patch(PODS, 'd', 'one', 'merge', { spec: { activeDeadlineSeconds: 60 } })
  await assert.rejects(limited, /exceeded quota: q, requested: pods=1, used: pods=0, limited: pods=0/)
})

test('what was there before the quota is counted', async () => {
  const { client } = cluster
  await client.create<Namespace>(NAMESPACES, { metadata: { name: 'e' }, spec: {} })
  for (const name of ['one', 'two']) await client.create<ConfigMap>(CONFIGMAPS, { metadata: { name, namespace: 'e' } })
  await client.create<ResourceQuota>(RESOURCEQUOTAS, {
    metadata: { name: 'q', namespace: 'e' },
    spec: { hard: { 'count/configmaps': '10' } },
  })
  await used('e', { 'count/configmaps': '3' })
})
