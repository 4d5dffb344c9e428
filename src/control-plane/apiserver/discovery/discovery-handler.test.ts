/** Discovery answers are those that a real API server gave, for every kind that is served here. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { ALL_KINDS, KINDS } from '#api/kinds.ts'
import type { ApiRequest, ApiResponse } from '../request.ts'
import { compareVersions } from './api-groups.ts'
import { encodeProtobuf } from '../http/protobuf-writer.ts'
import { protobufTypesOf } from '../protobuf-types.ts'
import { protobufToJson } from '#machinery/protobuf/envelope.ts'
import { discoveryHandler, discoveryPaths } from './discovery-handler.ts'

const FACTS = new URL('../../../../../shared/kubernetes/discovery/default.json', import.meta.url)
const skip = existsSync(FACTS) ? false : 'needs the recorded facts in ../shared'
const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'

const handler = discoveryHandler(KINDS, { serverAddress: '10.0.0.1:6443' })

function get(path: string, headers: Record<string, string> = {}): Promise<ApiResponse> {
  return handler({
    method: 'GET',
    path,
    query: new URLSearchParams(),
    headers,
    body: { form: 'none' },
  } as unknown as ApiRequest)
}

async function getJson(path: string, headers: Record<string, string> = {}): Promise<Record<string, unknown>> {
  const { body } = await get(path, headers)
  if (body.form === 'raw') return JSON.parse(String(body.content)) as Record<string, unknown>
  assert.equal(body.form, 'object')
  return JSON.parse(JSON.stringify(body.form === 'object' ? body.object : null)) as Record<string, unknown>
}

type Recorded = Record<string, { resources?: { name: string }[]; items?: { metadata: { name?: string } }[] }>

test('every resource is described as a real API server does', { skip }, async () => {
  const recorded = JSON.parse(readFileSync(FACTS, 'utf8')) as Recorded
  for (const path of discoveryPaths(KINDS)) {
    const resources = recorded[path]?.resources
    if (resources === undefined) continue
    const answer = (await getJson(path)) as { resources: { name: string }[] }
    for (const resource of answer.resources)
      assert.deepEqual(
        resource,
        resources.find(({ name }) => name === resource.name),
        `${path} ${resource.name}`,
      )
  }
})

test('the aggregated form holds every served group as a real API server does', { skip }, async () => {
  const recorded = JSON.parse(readFileSync(FACTS, 'utf8')) as Recorded
  for (const path of ['/api', '/apis']) {
    const answer = (await getJson(path, { accept: AGGREGATED })) as unknown as {
      items: { metadata: { name?: string }; versions: { version: string; resources: { resource: string }[] }[] }[]
    }
    const groups = recorded[`aggregated ${path}`]!.items as typeof answer.items
    for (const group of answer.items) {
      const wanted = groups.find(({ metadata }) => metadata.name === group.metadata.name)!
      for (const [position, version] of group.versions.entries())
        for (const resource of version.resources)
          assert.deepEqual(
            resource,
            wanted.versions[position]!.resources.find(({ resource: name }) => name === resource.resource),
          )
    }
  }
})

test('with every API on, groups, versions and resources are those of a real API server', { skip }, async () => {
  const recorded = {
    ...(JSON.parse(readFileSync(FACTS, 'utf8')) as Recorded),
    ...(JSON.parse(readFileSync(new URL('all-apis.json', FACTS), 'utf8')) as Recorded),
  }
  const all = discoveryHandler(ALL_KINDS, { serverAddress: '10.0.0.1:6443' })
  const answerOf = async (path: string, accept?: string): Promise<unknown> => {
    const headers = accept === undefined ? {} : { accept }
    const { body } = await all({
      method: 'GET',
      path,
      query: new URLSearchParams(),
      headers,
      body: { form: 'none' },
    } as unknown as ApiRequest)
    if (body.form === 'raw') return JSON.parse(String(body.content))
    return JSON.parse(JSON.stringify(body.form === 'object' ? body.object : null))
  }
  for (const path of discoveryPaths(ALL_KINDS))
    if (recorded[path] !== undefined && path !== '/api') assert.deepEqual(await answerOf(path), recorded[path], path)
  for (const path of ['/api', '/apis'])
    assert.deepEqual(await answerOf(path, AGGREGATED), recorded[`aggregated ${path}`], path)
})

test('groups stand in the order of preference, the core group apart', async () => {
  const { groups } = (await getJson('/apis')) as { groups: { name: string; preferredVersion: unknown }[] }
  const names = groups.map(({ name }) => name)
  assert.ok(
    names.indexOf('apps') < names.indexOf('batch') && names.indexOf('batch') < names.indexOf('coordination.k8s.io'),
  )
  assert.ok(!names.includes(''))
  assert.deepEqual(await getJson('/api'), {
    kind: 'APIVersions',
    versions: ['v1'],
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: '10.0.0.1:6443' }],
  })
})

test('the form follows the Accept header, first come first served', async () => {
  const kindOf = async (accept: string): Promise<unknown> => (await getJson('/apis', { accept }))['kind']
  assert.equal(await kindOf('application/json'), 'APIGroupList')
  assert.equal(await kindOf(`${AGGREGATED},application/json`), 'APIGroupDiscoveryList')
  assert.equal(await kindOf(`application/json,${AGGREGATED}`), 'APIGroupList')
  assert.equal(await kindOf(`${AGGREGATED.replace('v=v2', 'v=v9')},application/json`), 'APIGroupList')
})

test('an unchanged aggregated document is not sent again', async () => {
  const first = await get('/apis', { accept: AGGREGATED })
  const etag = first.headers!['ETag']!
  assert.equal(first.body.form === 'object' && first.body.written?.contentType, AGGREGATED)
  assert.equal((await get('/apis', { accept: AGGREGATED, 'if-none-match': etag })).code, 304)
})

test('the aggregated form has every encoding', async () => {
  for (const type of ['application/yaml', 'application/vnd.kubernetes.protobuf']) {
    const accept = AGGREGATED.replace('application/json', type)
    const { body } = await get('/apis', { accept })
    assert.ok(body.form === 'object')
    assert.deepEqual(body.written, { mediaType: type, contentType: accept })
  }
  const { body } = await get('/apis', { accept: AGGREGATED })
  assert.ok(body.form === 'object')
  const message = encodeProtobuf(body.object, protobufTypesOf(KINDS))
  assert.deepEqual(JSON.parse(protobufToJson(message!, protobufTypesOf(KINDS)).toString()), body.object)
})

test('the paths of a group version take GET only, the lists of groups any method', async () => {
  const send = (method: string, path: string): Promise<ApiResponse> =>
    handler({
      method,
      path,
      query: new URLSearchParams(),
      headers: {},
      body: { form: 'none' },
    } as unknown as ApiRequest)
  for (const path of ['/api', '/api/v1', '/apis/apps/v1']) await assert.rejects(send('POST', path), { code: 405 })
  for (const path of ['/apis', '/apis/apps']) assert.equal((await send('POST', path)).code, 200)
  await assert.rejects(get('/api', { accept: 'text/html' }), { code: 406 })
  await assert.rejects(get('/api', { 'content-type': 'text/plain' }), { code: 415 })
})

test('only served groups and versions match', () => {
  for (const path of ['/api', '/api/', '/apis', '/api/v1', '/apis/apps', '/apis/apps/v1', '/apis/apps/v1/'])
    assert.ok(handler.matches(path), path)
  for (const path of ['/', '/api/v2', '/apis/nope', '/apis/apps/v9', '/apis/apps/v1/deployments'])
    assert.ok(!handler.matches(path), path)
})

test('versions are ordered by stability, then by age', () => {
  const versions = ['v1alpha1', 'v1', 'v10', 'v2beta1', 'v2', 'foo1', 'v1beta2', 'v11alpha2', 'v2beta10']
  assert.deepEqual(versions.toSorted(compareVersions), [
    'v10',
    'v2',
    'v1',
    'v2beta10',
    'v2beta1',
    'v1beta2',
    'v11alpha2',
    'v1alpha1',
    'foo1',
  ])
})
