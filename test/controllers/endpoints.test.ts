/** Endpoints and EndpointSlices against a whole API server: they follow the pods of a Service. */
import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import type { Endpoints, Node, Pod, Service } from '#api/core/v1.gen.ts'
import type { EndpointSlice } from '#api/discovery/v1.gen.ts'
import { ENDPOINTS, ENDPOINTSLICES, NODES, PODS, SERVICES } from '#api/resources.gen.ts'
import { startTestCluster, type TestCluster } from './test-cluster.ts'

let cluster: TestCluster
before(async () => {
  cluster = await startTestCluster()
  await cluster.client.create<Node>(NODES, { metadata: { name: 'n1' }, spec: {} })
})
after(() => cluster.close())

async function slicesOf(service: string): Promise<EndpointSlice[]> {
  const labelSelector = `kubernetes.io/service-name=${service}`
  return (await cluster.client.list<EndpointSlice>(ENDPOINTSLICES, 'default', { labelSelector })).items
}

async function addressesOf(service: string): Promise<string[]> {
  return (await slicesOf(service)).flatMap(({ endpoints }) => endpoints ?? []).flatMap(({ addresses }) => addresses)
}

async function makePod(app: string, ip: string): Promise<void> {
  const name = `${app}-${ip.replaceAll('.', '-')}`
  const pod = await cluster.eventually(() =>
    cluster.client.create<Pod>(PODS, {
      metadata: { name, namespace: 'default', labels: { app } },
      spec: {
        nodeName: 'n1',
        containers: [{ name: 'c', image: 'i', ports: [{ name: 'web', containerPort: 8080 }] }],
        tolerations: [{ operator: 'Exists' }],
      },
    }),
  )
  await setStatus(pod, ip, 'True')
}

async function setStatus({ metadata }: Pod, ip: string, ready: string): Promise<void> {
  const status = { phase: 'Running', podIP: ip, podIPs: [{ ip }], conditions: [{ type: 'Ready', status: ready }] }
  const options = { subresource: 'status' }
  await cluster.client.patch(PODS, 'default', metadata.name, 'strategic', { status }, options)
}

const service = (name: string) =>
  cluster.client.create<Service>(SERVICES, {
    metadata: { name, namespace: 'default' },
    spec: { selector: { app: name }, ports: [{ port: 80, targetPort: 'web' }] },
  })

test('pods come into both kinds of endpoints, change and go', async () => {
  const { client, eventually } = cluster
  await service('web')
  await eventually(async () => (await slicesOf('web'))[0])
  await makePod('web', '10.0.0.1')
  await makePod('web', '10.0.0.2')
  await eventually(async () => ((await addressesOf('web')).length === 2 ? true : null))
  const [slice] = await slicesOf('web')
  assert.deepEqual(slice!.ports, [{ name: '', port: 8080, protocol: 'TCP' }])
  const pod = await client.get<Pod>(PODS, 'default', 'web-10-0-0-2')
  await setStatus(pod, '10.0.0.2', 'False')
  const { subsets } = await eventually(async () => {
    const endpoints = await client.get<Endpoints>(ENDPOINTS, 'default', 'web')
    return endpoints.subsets?.[0]?.notReadyAddresses === undefined ? null : endpoints
  })
  assert.deepEqual(
    subsets?.[0]?.addresses?.map(({ ip }) => ip),
    ['10.0.0.1'],
  )
  assert.deepEqual(
    subsets?.[0]?.notReadyAddresses?.map(({ ip }) => ip),
    ['10.0.0.2'],
  )
  for (const ip of ['10-0-0-1', '10-0-0-2'])
    await client.delete(PODS, 'default', `web-${ip}`, { gracePeriodSeconds: 0 })
  await eventually(async () => ((await addressesOf('web')).length === 0 ? true : null))
  assert.equal((await slicesOf('web')).length, 1)
})

test('a slice that somebody deletes comes back, and a deleted Service takes all with it', async () => {
  const { client, eventually } = cluster
  await service('back')
  await makePod('back', '10.0.1.1')
  await eventually(async () => ((await addressesOf('back')).length === 1 ? true : null))
  const [old] = await slicesOf('back')
  await client.delete(ENDPOINTSLICES, 'default', old!.metadata.name)
  await eventually(async () => ((await slicesOf('back'))[0]?.metadata.uid !== old!.metadata.uid ? true : null))
  await client.delete(SERVICES, 'default', 'back')
  await eventually(async () => ((await slicesOf('back')).length === 0 ? true : null))
  await eventually(async () => {
    const { items } = await client.list<Endpoints>(ENDPOINTS, 'default')
    return items.every(({ metadata }) => metadata.name !== 'back') ? true : null
  })
})

test('many pods at once are in the slices exactly once', async () => {
  const { eventually } = cluster
  await service('many')
  await Promise.all(Array.from({ length: 120 }, (_, index) => makePod('many', `10.0.2.${index + 1}`)))
  await eventually(async () => ((await addressesOf('many')).length === 120 ? true : null))
  assert.equal(new Set(await addressesOf('many')).size, 120)
  assert.equal((await slicesOf('many')).length, 2)
})
