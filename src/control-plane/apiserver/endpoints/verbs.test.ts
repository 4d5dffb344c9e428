/** Whole requests for every verb, from the decoded body to the stored object. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { TestServer } from './testing.ts'

const MAPS = '/api/v1/namespaces/n/configmaps'
const mapOf = (name: string, more: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...more },
  data: { x: '1' },
})

let server: TestServer
before(async () => void (server = await TestServer.start()))
after(() => server.close())

test('create answers with the stored object: name, uid, time, version and owner are set', async () => {
  const { code, body } = await server.request('POST', MAPS, mapOf('a'))
  assert.equal(code, 201)
  const metadata = body['metadata'] as Record<string, unknown>
  assert.equal(metadata['namespace'], 'n')
  for (const field of ['uid', 'creationTimestamp', 'resourceVersion']) assert.ok(metadata[field], field)
  assert.partialDeepStrictEqual(metadata['managedFields'], [{ manager: 'test', operation: 'Update' }])
  const again = await server.request('POST', MAPS, mapOf('a'))
  assert.partialDeepStrictEqual(again.body, { code: 409, reason: 'AlreadyExists', details: { kind: 'configmaps' } })
})

test('generateName makes a name of its own each time', async () => {
  const make = () => server.created(MAPS, { ...mapOf(''), metadata: { generateName: 'g-' } })
  const [one, two] = [await make(), await make()]
  assert.match(one.metadata.name, /^g-[a-z0-9]{5}$/)
  assert.notEqual(one.metadata.name, two.metadata.name)
})

test('a dry run is checked and answered, and leaves nothing', async () => {
  const { code, body } = await server.request('POST', `${MAPS}?dryRun=All`, mapOf('dry'))
  assert.equal(code, 201)
  assert.equal((body['metadata'] as Record<string, unknown>)['resourceVersion'], undefined)
  assert.equal((await server.request('GET', `${MAPS}/dry`)).code, 404)
})

test('update compares versions, and writes nothing when nothing changes', async () => {
  const stored = await server.created(MAPS, mapOf('u'))
  const same = await server.request('PUT', `${MAPS}/u`, stored)
  assert.equal((same.body['metadata'] as typeof stored.metadata).resourceVersion, stored.metadata.resourceVersion)
  const changed = await server.request('PUT', `${MAPS}/u`, { ...stored, data: { x: '2' } })
  assert.equal(changed.code, 200)
  const stale = await server.request('PUT', `${MAPS}/u`, { ...stored, data: { x: '3' } })
  assert.partialDeepStrictEqual(stale.body, { code: 409, reason: 'Conflict' })
  const unnamed = await server.request('PUT', `${MAPS}/u`, mapOf(''))
  assert.match(String(unnamed.body['message']), /\(u based on URL\) was undeterminable/)
  const word = await server.request('PUT', `${MAPS}/u`, mapOf('u', { resourceVersion: 'x' }))
  assert.equal(word.code, 500)
})

test('each kind of patch changes the object; one that makes none of it is refused', async () => {
  await server.created(MAPS, mapOf('p'))
  const patch = (type: string, body: unknown, query = '') =>
    server.request('PATCH', `${MAPS}/p${query}`, body, { contentType: `application/${type}` })
  const steps: [string, unknown, string][] = [
    ['merge-patch+json', { data: { a: 'm' } }, ''],
    ['json-patch+json', [{ op: 'add', path: '/data/b', value: 'j' }], ''],
    ['strategic-merge-patch+json', { data: { c: 's' } }, ''],
    ['apply-patch+yaml', { ...mapOf('p'), data: { d: 'a' } }, '?fieldManager=me'],
  ]
  for (const [type, body, query] of steps) assert.equal((await patch(type, body, query)).code, 200, type)
  const { body } = await server.request('GET', `${MAPS}/p`)
  assert.deepEqual(body['data'], { x: '1', a: 'm', b: 'j', c: 's', d: 'a' })
  const broken = await patch('merge-patch+json', { data: { a: { b: 1 } } })
  assert.partialDeepStrictEqual(broken.body, { code: 422, details: { causes: [{ field: 'patch' }] } })
  assert.equal((await patch('merge-patch+json', { metadata: { name: 'q' } })).code, 400)
  assert.equal((await patch('x', {})).code, 415)
})

test('lists select by labels and fields, and answer as tables without objects when asked', async () => {
  await server.created(MAPS, mapOf('l1', { labels: { app: 'l' } }))
  await server.created(MAPS, mapOf('l2', { labels: { app: 'l' } }))
  const names = async (query: string): Promise<unknown[]> => {
    const { body } = await server.request('GET', `${MAPS}?${query}`)
    return (body['items'] as { metadata: { name: string } }[]).map(({ metadata }) => metadata.name)
  }
  assert.deepEqual(await names('labelSelector=app%3Dl'), ['l1', 'l2'])
  assert.deepEqual(await names('fieldSelector=metadata.name%3Dl2'), ['l2'])
  assert.equal((await server.request('GET', `${MAPS}?fieldSelector=a%3Db`)).code, 400)
  const accept = 'application/json;as=Table;g=meta.k8s.io;v=v1'
  const table = await server.request('GET', `${MAPS}/l1?includeObject=None`, undefined, { accept })
  assert.partialDeepStrictEqual(table.body, { kind: 'Table', rows: [{ object: null }] })
  assert.equal((await server.request('GET', `${MAPS}?includeObject=X`, undefined, { accept })).code, 400)
  const other = { accept: 'application/json;as=X;g=meta.k8s.io;v=v1' }
  assert.equal((await server.request('GET', MAPS, undefined, other)).code, 406)
})

test('a path that exists for other methods is 405, one that exists for none 404', async () => {
  const codes: [string, string, number][] = [
    ['PUT', MAPS, 405],
    ['POST', `${MAPS}/a`, 405],
    ['DELETE', '/api/v1/configmaps', 405],
    ['GET', '/api/v1/configmaps/a', 404],
    ['GET', `${MAPS}/a/status`, 404],
    ['PUT', '/apis/apps/v1/namespaces/n/daemonsets/a/scale', 404],
    ['GET', '/api/v1/namespaces/n/nodes', 404],
  ]
  for (const [method, path, code] of codes)
    assert.equal((await server.request(method, path, mapOf('a'))).code, code, `${method} ${path}`)
})

test('deletion answers with a Status, keeps objects with finalizers, and checks preconditions', async () => {
  await server.created(MAPS, mapOf('d', { finalizers: ['example.com/f'] }))
  const path = `${MAPS}/d`
  const wrong = await server.request('DELETE', path, { preconditions: { uid: 'other' } })
  assert.partialDeepStrictEqual(wrong.body, { code: 409, details: { kind: 'ConfigMap' } })
  const marked = await server.request('DELETE', path)
  assert.partialDeepStrictEqual(marked.body, { kind: 'ConfigMap', metadata: { deletionGracePeriodSeconds: 0 } })
  const patch = { metadata: { finalizers: null } }
  assert.equal((await server.request('PATCH', path, patch, { contentType: 'application/merge-patch+json' })).code, 200)
  assert.equal((await server.request('GET', path)).code, 404)
  await server.created(MAPS, mapOf('d2'))
  const gone = await server.request('DELETE', `${MAPS}/d2`)
  assert.partialDeepStrictEqual(gone.body, { kind: 'Status', status: 'Success', details: { name: 'd2' } })
})

test('delete collection deletes what is selected, and nothing else', async () => {
  await server.created(MAPS, mapOf('c1', { labels: { go: 'y' } }))
  await server.created(MAPS, mapOf('c2'))
  const { body } = await server.request('DELETE', `${MAPS}?labelSelector=go`)
  assert.equal((body['items'] as unknown[]).length, 1)
  assert.equal((await server.request('GET', `${MAPS}/c1`)).code, 404)
  assert.equal((await server.request('GET', `${MAPS}/c2`)).code, 200)
})

test('a dry run of a Service shows addresses that nobody gets', async () => {
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 's' },
    spec: { type: 'NodePort', ports: [{ port: 80 }] },
  }
  const path = '/api/v1/namespaces/n/services'
  const { body } = await server.request('POST', `${path}?dryRun=All`, service)
  assert.partialDeepStrictEqual(body['spec'], { clusterIP: '10.96.0.0', ports: [{ nodePort: 32769 }] })
  const stored = await server.created(path, service)
  assert.notEqual((stored as unknown as { spec: { clusterIP: string } }).spec.clusterIP, '10.96.0.0')
})

test('the address of a Service is free again when its last finalizer takes it away', async () => {
  const path = '/api/v1/namespaces/n/services'
  const service = (name: string, finalizers: string[]): object => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, finalizers },
    spec: { clusterIP: '10.96.9.9', ports: [{ port: 80 }] },
  })
  await server.created(path, service('held', ['example.com/x']))
  assert.equal((await server.request('DELETE', `${path}/held`)).code, 200)
  assert.equal((await server.request('POST', path, service('early', []))).code, 422)
  const patch = { metadata: { finalizers: null } }
  await server.request('PATCH', `${path}/held`, patch, { contentType: 'application/merge-patch+json' })
  assert.equal((await server.request('GET', `${path}/held`)).code, 404)
  await server.created(path, service('next', []))
})
