/** ComponentStatus tells of each part of the control plane what its check says. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { ALLOW_ALL, TestServer } from '../testing.ts'

const PATH = '/api/v1/componentstatuses'
const DEPRECATION = 'v1 ComponentStatus is deprecated in v1.19+'
let server: TestServer
before(async () => {
  server = await TestServer.start(ALLOW_ALL, {
    scheduler: async () => {
      throw new Error('connection refused')
    },
    'etcd-0': async () => {},
  })
})
after(() => server.close())

const healthy = (status: string, message: string): object => ({ type: 'Healthy', status, message })

test('a part that is well is Healthy, another says why it is not', async () => {
  const { code, body, warnings } = await server.request('GET', PATH)
  assert.equal(code, 200)
  assert.deepEqual(warnings, [DEPRECATION])
  assert.equal(body['kind'], 'ComponentStatusList')
  assert.deepEqual(body['metadata'], {})
  const found = (body['items'] as { metadata: { name: string }; conditions: unknown }[]).map(
    ({ metadata, conditions }) => [metadata.name, conditions],
  )
  assert.deepEqual(found, [
    ['scheduler', [healthy('False', 'connection refused')]],
    ['etcd-0', [healthy('True', 'ok')]],
  ])
})

test('one by name, and a name that there is not', async () => {
  const { body } = await server.request('GET', `${PATH}/etcd-0`)
  assert.deepEqual(body, {
    kind: 'ComponentStatus',
    apiVersion: 'v1',
    metadata: { name: 'etcd-0' },
    conditions: [healthy('True', 'ok')],
  })
  const missing = await server.request('GET', `${PATH}/nope`)
  assert.equal(missing.code, 404)
  assert.equal(missing.body['message'], 'componentstatus "nope" not found')
})

test('a selector leaves the other parts unasked', async () => {
  const { body } = await server.request('GET', `${PATH}?fieldSelector=metadata.name=etcd-0`)
  assert.equal((body['items'] as unknown[]).length, 1)
  const { body: none } = await server.request('GET', `${PATH}?labelSelector=a`)
  assert.deepEqual(none['items'], [])
  assert.equal((await server.request('GET', `${PATH}?fieldSelector=foo=1`)).code, 400)
})

test('it cannot be watched or written', async () => {
  const watch = await server.request('GET', `${PATH}?watch=1`)
  assert.equal(watch.code, 405)
  assert.equal(watch.body['message'], 'watch is not supported on resources of kind "componentstatuses"')
  assert.deepEqual(watch.warnings, [DEPRECATION])
  const write = await server.request('POST', PATH, {})
  assert.equal(write.code, 405)
  assert.deepEqual(write.warnings, [])
})
