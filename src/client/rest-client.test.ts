/** The requests that the client's calls become. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BINDINGS, DEPLOYMENTS, NODES, PODS } from '#api/resources.gen.ts'
import { RestClient, pathOf } from './rest-client.ts'
import type { Transport, TransportRequest } from './transport.ts'

function recording(): { client: RestClient; requests: TransportRequest[] } {
  const requests: TransportRequest[] = []
  const transport: Transport = {
    request: async (request) => {
      requests.push(request)
      return {}
    },
    watch: async function* (request) {
      requests.push(request)
      yield []
    },
    close: async () => {},
  }
  return { client: new RestClient(transport), requests }
}

test('paths', () => {
  assert.equal(pathOf(PODS, 'a'), '/api/v1/namespaces/a/pods')
  assert.equal(pathOf(PODS, ''), '/api/v1/pods')
  assert.equal(pathOf(NODES, '', 'n1', 'status'), '/api/v1/nodes/n1/status')
  assert.equal(pathOf(NODES, 'ignored', 'n1'), '/api/v1/nodes/n1')
  assert.equal(pathOf(DEPLOYMENTS, 'a', 'd/x'), '/apis/apps/v1/namespaces/a/deployments/d%2Fx')
})

test('reads: options that are not given do not travel', async () => {
  const { client, requests } = recording()
  await client.list(PODS, 'a', { limit: 5, labelSelector: 'a=b', fieldSelector: '' })
  for await (const _ of client.watch(PODS, '', { sendInitialEvents: true }, new AbortController().signal)) assert.ok(_)
  assert.deepEqual(requests[0]?.query, { limit: '5', labelSelector: 'a=b' })
  assert.deepEqual(requests[1]?.query, {
    watch: 'true',
    sendInitialEvents: 'true',
    resourceVersionMatch: 'NotOlderThan',
  })
})

test('writes say their kind, patches their form', async () => {
  const { client, requests } = recording()
  const pod = { metadata: { name: 'p', namespace: 'a' } } as never
  await client.create(PODS, pod)
  await client.updateStatus(PODS, pod)
  await client.patch(PODS, 'a', 'p', 'apply', { x: 1 }, { fieldManager: 'me', force: true, subresource: 'status' })
  await client.delete(PODS, 'a', 'p', { gracePeriodSeconds: 0 })
  await client.deleteCollection(PODS, 'a', undefined, { labelSelector: 'a=b' })
  await client.createSubresource(PODS, 'a', 'p', 'binding', { target: {} })
  await client.review(BINDINGS, { metadata: { namespace: 'a' }, spec: {} })
  const short = requests.map(({ method, path, query, contentType, body }) => ({
    line: `${method} ${path}`,
    ...(Object.keys(query).length === 0 ? {} : { query }),
    ...(contentType === undefined ? {} : { contentType }),
    body,
  }))
  const typed = { kind: 'Pod', apiVersion: 'v1', metadata: { name: 'p', namespace: 'a' } }
  assert.deepEqual(short, [
    { line: 'POST /api/v1/namespaces/a/pods', body: typed },
    { line: 'PUT /api/v1/namespaces/a/pods/p/status', body: typed },
    {
      line: 'PATCH /api/v1/namespaces/a/pods/p/status',
      query: { fieldManager: 'me', force: 'true' },
      contentType: 'application/apply-patch+yaml',
      body: { x: 1 },
    },
    {
      line: 'DELETE /api/v1/namespaces/a/pods/p',
      body: { kind: 'DeleteOptions', apiVersion: 'v1', gracePeriodSeconds: 0 },
    },
    { line: 'DELETE /api/v1/namespaces/a/pods', query: { labelSelector: 'a=b' }, body: undefined },
    { line: 'POST /api/v1/namespaces/a/pods/p/binding', body: { target: {} } },
    {
      line: 'POST /api/v1/namespaces/a/bindings',
      body: { kind: 'Binding', apiVersion: 'v1', metadata: { namespace: 'a' }, spec: {} },
    },
  ])
})
