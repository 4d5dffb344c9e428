/** Whole requests to subresources: scale, binding, eviction. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { TestServer } from '../testing.ts'

const CORE = '/api/v1/namespaces/n'
const MERGE = { contentType: 'application/merge-patch+json' }

let server: TestServer
before(async () => void (server = await TestServer.start()))
after(() => server.close())

const podOf = (name: string, spec: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels: { app: name } },
  spec: { containers: [{ name: 'c', image: 'i' }], ...spec },
})

test('scale changes replicas, and shows in the owners of the parent alone', async () => {
  const path = '/apis/apps/v1/namespaces/n/deployments'
  await server.created(path, {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'w' },
    spec: {
      selector: { matchLabels: { app: 'w' } },
      template: { metadata: { labels: { app: 'w' } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
    },
  })
  const scaled = await server.request('PATCH', `${path}/w/scale`, { spec: { replicas: 5 } }, MERGE)
  assert.partialDeepStrictEqual(scaled.body, { kind: 'Scale', spec: { replicas: 5 }, status: { selector: 'app=w' } })
  assert.equal((scaled.body['metadata'] as Record<string, unknown>)['managedFields'], undefined)
  const { body } = await server.request('GET', `${path}/w`)
  assert.equal((body['spec'] as Record<string, unknown>)['replicas'], 5)
  const managers = (body['metadata'] as { managedFields: { subresource?: string }[] }).managedFields
  assert.ok(managers.some(({ subresource }) => subresource === 'scale'))
  assert.equal((await server.request('PATCH', `${path}/w/scale`, { spec: { replicas: 'x' } }, MERGE)).code, 422)
})

test('binding sets the node once, with its zone as a label', async () => {
  await server.created('/api/v1/nodes', {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'node', labels: { 'topology.kubernetes.io/zone': 'z' } },
  })
  await server.created(`${CORE}/pods`, podOf('b'))
  const binding = { apiVersion: 'v1', kind: 'Binding', metadata: { name: 'b' }, target: { kind: 'Node', name: 'node' } }
  assert.equal((await server.request('POST', `${CORE}/pods/b/binding`, binding)).code, 201)
  const { body } = await server.request('GET', `${CORE}/pods/b`)
  assert.partialDeepStrictEqual(body, {
    metadata: { labels: { 'topology.kubernetes.io/zone': 'z' } },
    spec: { nodeName: 'node' },
    status: { conditions: [{ type: 'PodScheduled', status: 'True' }] },
  })
  assert.equal((await server.request('POST', `${CORE}/pods/b/binding`, binding)).code, 409)
})

test('eviction takes from the budget and is refused when nothing is left of it', async () => {
  const budgets = '/apis/policy/v1/namespaces/n/poddisruptionbudgets'
  await server.created(budgets, {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: 'b' },
    spec: { minAvailable: 1, selector: { matchLabels: { tier: 'e' } } },
  })
  const status = { observedGeneration: 1, disruptionsAllowed: 1, currentHealthy: 2, desiredHealthy: 1, expectedPods: 2 }
  assert.equal((await server.request('PATCH', `${budgets}/b/status`, { status }, MERGE)).code, 200)
  const evict = async (name: string) => {
    await server.created(`${CORE}/pods`, {
      ...podOf(name, { nodeName: 'node' }),
      metadata: { name, labels: { tier: 'e' } },
    })
    const ready = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] }
    await server.request('PATCH', `${CORE}/pods/${name}/status`, { status: ready }, MERGE)
    return server.request('POST', `${CORE}/pods/${name}/eviction`, { metadata: { name } })
  }
  assert.equal((await evict('e1')).code, 201)
  assert.partialDeepStrictEqual((await server.request('GET', `${CORE}/pods/e1`)).body, {
    metadata: { deletionGracePeriodSeconds: 30 },
    status: { conditions: [{ type: 'Ready' }, { type: 'DisruptionTarget' }] },
  })
  const refused = await evict('e2')
  assert.partialDeepStrictEqual(refused.body, {
    code: 429,
    details: { causes: [{ message: 'The disruption budget b does not allow evicting pods currently' }] },
  })
})

test('an eviction of v1beta1, as old clients send it, is one of v1', async () => {
  await server.created(`${CORE}/pods`, podOf('e3', { nodeName: 'node' }))
  const eviction = (apiVersion: string) => ({ apiVersion, kind: 'Eviction', metadata: { name: 'e3' } })
  const unknown = await server.request('POST', `${CORE}/pods/e3/eviction`, eviction('policy/v1alpha1'))
  assert.equal(unknown.code, 400)
  assert.equal((await server.request('POST', `${CORE}/pods/e3/eviction`, eviction('policy/v1beta1'))).code, 201)
})
