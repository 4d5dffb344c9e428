/** The OpenAPI documents are those of a real API server, for every kind that is served here. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import '#api/schemas.ts'
import { ALL_KINDS } from '#api/kinds.ts'
import type { ApiRequest, ApiResponse } from '../request.ts'
import { openApiHandler } from './openapi-handler.ts'
import { OPENAPI_2, OPENAPI_3, renderSchema, type Node } from './schemas.ts'

const FACTS = new URL('../../../../../shared/kubernetes/openapi/', import.meta.url)
const skip = existsSync(FACTS) ? false : 'needs the recorded facts in ../shared'
const PROTOBUF = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf'

const START_MS = Date.UTC(2026, 0, 1)
const handler = openApiHandler(ALL_KINDS, { clock: { now: () => START_MS } })
const read = <T>(path: string): T => JSON.parse(readFileSync(new URL(path, FACTS), 'utf8')) as T

function get(address: string, headers: Record<string, string> = {}): Promise<ApiResponse> {
  const { pathname, searchParams } = new URL(address, 'http://server')
  return handler({ method: 'GET', path: pathname, query: searchParams, headers } as unknown as ApiRequest)
}

function contentOf({ body }: ApiResponse): Buffer {
  assert.equal(body.form, 'raw')
  return Buffer.from(body.form === 'raw' ? (body.content as Buffer) : '')
}

async function getJson<T = Node>(address: string): Promise<T> {
  return JSON.parse(contentOf(await get(address)).toString()) as T
}

/** Without what the recording leaves out, and with a lone reference in one form. */
function comparable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(comparable)
  if (typeof value !== 'object' || value === null) return value
  const { allOf, ...others } = value as Node
  if (Array.isArray(allOf) && Object.keys(withoutTexts(others)).length === 0) return comparable(allOf[0])
  return Object.fromEntries(
    Object.entries(withoutTexts(value as Node)).map(([name, item]) => [
      name,
      // A field may itself be called description.
      name === 'properties'
        ? Object.fromEntries(Object.entries(item as Node).map(([field, schema]) => [field, comparable(schema)]))
        : comparable(item),
    ]),
  )
}

function withoutTexts(node: Node): Node {
  return Object.fromEntries(
    Object.entries(node).filter(([name, value]) => name !== 'description' || typeof value !== 'string'),
  )
}

test('every schema is that of a real API server, in both versions', { skip }, () => {
  for (const file of ['v2-definitions.json', 'v2-definitions-off-by-default.json'])
    for (const [name, schema] of Object.entries(read<Record<string, Node>>(file)))
      assert.deepEqual(comparable(renderSchema(name, OPENAPI_2, new Set())), comparable(schema), name)
  for (const folder of ['v3', 'v3-off-by-default'])
    for (const file of readdirSync(new URL(`${folder}/`, FACTS)))
      for (const [name, schema] of Object.entries(read<Record<string, Node>>(`${folder}/${file}`)))
        if (!/DeleteOptions$|WatchEvent$/.test(name))
          assert.deepEqual(comparable(renderSchema(name, OPENAPI_3, new Set())), comparable(schema), name)
})

test('each document of a group version holds the recorded paths and schemas of its kinds', { skip }, async () => {
  const { paths } = await getJson<{ paths: Record<string, unknown> }>('/openapi/v3')
  for (const section of Object.keys(paths)) {
    const file = `${section.replaceAll('/', '__')}.json`
    const suffix = existsSync(new URL(`v3/${file}`, FACTS)) ? '' : '-off-by-default'
    const recordedPaths = read<Record<string, Node>>(`v3${suffix}-paths/${file}`)
    const recordedSchemas = read<Record<string, Node>>(`v3${suffix}/${file}`)
    const document = await getJson<{ paths: Record<string, Node>; components: { schemas: Record<string, Node> } }>(
      `/openapi/v3/${section}`,
    )
    for (const [path, item] of Object.entries(document.paths))
      assert.deepEqual(comparable(item), comparable(recordedPaths[path]), path)
    for (const [name, schema] of Object.entries(document.components.schemas))
      assert.deepEqual(comparable(schema), comparable(recordedSchemas[name]), `${section} ${name}`)
  }
})

test('the operations of version 2 are the recorded ones', { skip }, async () => {
  const recorded = read<Record<string, Node>>('v2-paths.json')
  const shared = read<{ parameters: Record<string, Node> }>('v2-rest.json').parameters
  const resolve = (item: unknown): unknown => {
    if (Array.isArray(item)) return item.map(resolve)
    if (typeof item !== 'object' || item === null) return item
    const ref = (item as { $ref?: string }).$ref
    if (ref?.startsWith('#/parameters/')) return shared[ref.slice('#/parameters/'.length)]
    return Object.fromEntries(Object.entries(item).map(([name, value]) => [name, resolve(value)]))
  }
  const document = await getJson<{ paths: Record<string, Node> }>('/openapi/v2')
  for (const [path, item] of Object.entries(document.paths)) {
    // Those of versions that are off by default are recorded in version 3 alone.
    if (!path.startsWith('/api') || recorded[path] === undefined) continue
    assert.deepEqual(comparable(item), comparable(resolve(recorded[path])), path)
  }
})

test('the index names addresses that change with the content and may be kept for ever', async () => {
  const { paths } = await getJson<{ paths: Record<string, { serverRelativeURL: string }> }>('/openapi/v3')
  const address = paths['apis/apps/v1']!.serverRelativeURL
  assert.match(address, /^\/openapi\/v3\/apis\/apps\/v1\?hash=[0-9A-F]{128}$/)
  const answer = await get(address)
  assert.equal(answer.headers!['Cache-Control'], 'public, immutable')
  assert.equal(answer.headers!['Expires'], 'Fri, 01 Jan 2027 00:00:00 GMT')
  assert.equal((await get('/openapi/v3/apis/apps/v1')).headers!['Cache-Control'], undefined)
  const stale = await get('/openapi/v3/apis/apps/v1?hash=OLD')
  assert.deepEqual([stale.code, stale.headers!['Location']], [301, address])
  const etag = answer.headers!['ETag']!
  assert.equal((await get('/openapi/v3/apis/apps/v1', { 'if-none-match': etag })).code, 304)
})

test('references lead to schemas that are there', async () => {
  const document = await getJson<{ components: { schemas: Record<string, Node> } }>('/openapi/v3/api/v1')
  for (const [, name] of JSON.stringify(document).matchAll(/"#\/components\/schemas\/([^"]+)"/g))
    assert.ok(document.components.schemas[name!] !== undefined, String(name))
})

test('older clients get version 2 as protobuf under the name they know', async () => {
  const answer = await get('/openapi/v2', { accept: PROTOBUF })
  assert.equal(
    answer.body.form === 'raw' && answer.body.contentType,
    'application/com.github.proto-openapi.spec.v2.v1.0+protobuf',
  )
  const content = contentOf(answer)
  // Field 1 is the version of the form, field 2 the title and version of the API.
  assert.equal(content.subarray(0, 5).toString('latin1'), '\n\u00032.0')
  assert.equal(content[5], 0x12)
  assert.ok(content.includes('io.k8s.api.core.v1.Pod'))
  assert.equal((await get('/openapi/v2', { accept: 'text/plain' })).code, 406)
})

test('version 3 has a protobuf form too, under the tag of its JSON', async () => {
  const address = '/openapi/v3/apis/apps/v1'
  const type = 'application/com.github.proto-openapi.spec.v3.v1.0+protobuf'
  const answer = await get(address, { accept: type.replace('v3.v1', 'v3@v1') })
  assert.equal(answer.body.form === 'raw' && answer.body.contentType, type)
  assert.equal(answer.headers!['ETag'], (await get(address)).headers!['ETag'])
  const content = contentOf(answer)
  assert.equal(content.subarray(0, 7).toString('latin1'), '\n\u00053.0.0')
  assert.ok(content.includes('#/components/schemas/io.k8s.api.apps.v1.Deployment'))
  assert.equal((await get(address, { accept: 'text/plain' })).code, 406)
})

test('parts, conditions and compression', async () => {
  const part = await get('/openapi/v2', { range: 'bytes=0-9' })
  assert.deepEqual([part.code, contentOf(part).length], [206, 10])
  assert.equal((await get('/openapi/v2', { range: 'bytes=99999999-' })).code, 416)
  for (const headers of [{ 'if-none-match': '*' }, { 'if-modified-since': new Date(START_MS).toUTCString() }])
    assert.equal((await get('/openapi/v2', headers)).code, 304)
  assert.equal((await get('/openapi/v2', { 'if-match': '"other"' })).code, 412)
  const zipped = await get('/openapi/v2', { 'accept-encoding': 'gzip' })
  assert.equal(zipped.headers!['Content-Encoding'], 'gzip')
  assert.deepEqual(gunzipSync(contentOf(zipped)), contentOf(await get('/openapi/v2')))
  assert.equal((await get('/openapi/v2', { 'accept-encoding': 'gzip;q=0' })).headers!['Content-Encoding'], undefined)
})

test('what is not there is a plain 404', async () => {
  assert.equal((await get('/openapi/v3/apis/nope/v1')).code, 404)
  assert.ok(!handler.matches('/openapi/v2x'))
  assert.ok(handler.matches('/openapi/v3/api/v1'))
})
