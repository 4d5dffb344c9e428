/** Lists, watches and deletions of a share of a collection, with the feature gate and without. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { resolveFeatureGates } from '#base/feature-gates.ts'
import { parseShardSelector } from '#machinery/selectors/shard-selector.ts'
import type { WatchStream } from '../request.ts'
import { TestServer } from './testing.ts'

const MAPS = '/api/v1/namespaces/n/configmaps'
const mapOf = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels: { x: name } } })
const LOW_RANGE = "'0x0000000000000000', '0x8000000000000000'"
const HIGH_RANGE = "'0x8000000000000000', '0x10000000000000000'"
const LOW = `shardRange(object.metadata.uid, ${LOW_RANGE})`
const HIGH = `shardRange(object.metadata.uid, ${HIGH_RANGE})`
const query = (selector: string) => `shardSelector=${encodeURIComponent(selector)}`

type Named = { metadata: { name: string } }
const namesOf = (body: Record<string, unknown>) => (body['items'] as Named[]).map(({ metadata }) => metadata.name)
const metadataOf = (body: Record<string, unknown>) => body['metadata'] as Record<string, unknown>

const NAMES = Array.from({ length: 20 }, (_, index) => `m${String(index).padStart(2, '0')}`)
let server: TestServer
let closed: TestServer
let lowNames: string[]
before(async () => {
  const features = resolveFeatureGates(new Map([['ShardedListAndWatch', true]]))
  server = await TestServer.start(undefined, undefined, undefined, features)
  closed = await TestServer.start()
  const low = parseShardSelector(LOW)
  lowNames = []
  for (const name of NAMES) {
    const { metadata } = await server.created(MAPS, mapOf(name))
    if (low.matches(metadata.uid!)) lowNames.push(name)
  }
  assert.ok(lowNames.length > 2 && lowNames.length < 18, lowNames.join())
})
after(async () => {
  await server.close()
  await closed.close()
})

test('a list holds its share and says which one it is; two shares are the whole', async () => {
  const low = await server.request('GET', `${MAPS}?${query(LOW)}`)
  const high = await server.request('GET', `${MAPS}?${query(HIGH)}`)
  assert.deepEqual(namesOf(low.body), lowNames)
  assert.deepEqual([...namesOf(low.body), ...namesOf(high.body)].toSorted(), NAMES)
  assert.deepEqual(metadataOf(low.body)['shardInfo'], { selector: LOW })
  const one = await server.request('GET', `${MAPS}?${query(LOW)}&labelSelector=x=${lowNames[1]}`)
  assert.deepEqual(namesOf(one.body), [lowNames[1]])
})

test('pages of a share follow one another, without a count of what remains', async () => {
  const found: string[] = []
  for (let token = '', pages = 0; pages === 0 || token !== ''; pages++) {
    const { body } = await server.request('GET', `${MAPS}?${query(LOW)}&limit=2&continue=${token}`)
    const metadata = metadataOf(body)
    assert.equal('remainingItemCount' in metadata, false)
    assert.deepEqual(metadata['shardInfo'], { selector: LOW })
    found.push(...namesOf(body))
    token = String(metadata['continue'] ?? '')
  }
  assert.deepEqual(found, lowNames)
})

test('all objects of one namespace belong to one share', async () => {
  const counts: number[] = []
  for (const range of [LOW_RANGE, HIGH_RANGE]) {
    const { body } = await server.request('GET', `${MAPS}?${query(`shardRange(object.metadata.namespace, ${range})`)}`)
    counts.push(namesOf(body).length)
  }
  assert.deepEqual(
    counts.toSorted((a, b) => a - b),
    [0, 20],
  )
})

test('a watch begins with its share and goes on with it', async () => {
  const stream = await server.watch(`${MAPS}?watch=1&${query(LOW)}`)
  assert.deepEqual(await read(stream, lowNames.length), lowNames)
  const contentType = 'application/merge-patch+json'
  for (const name of NAMES) await server.request('PATCH', `${MAPS}/${name}`, { data: { a: 'b' } }, { contentType })
  assert.deepEqual(await read(stream, lowNames.length), lowNames)
  stream.close()
})

async function read(stream: WatchStream, count: number): Promise<string[]> {
  const seen: string[] = []
  while (seen.length < count) {
    const events = await stream.next()
    assert.ok(events)
    seen.push(...events.map((event) => (event.object() as Named).metadata.name))
  }
  return seen
}

test('a selector that cannot be read is refused after other options, before versions and tokens', async () => {
  const why = 'invalid shard selector: unexpected expression kind 3; expected shardRange() call or || operator'
  const cases: readonly (readonly [string, number, RegExp])[] = [
    ['', 500, /^invalid shard selector/],
    ['&continue=x', 500, /^invalid shard selector/],
    ['&resourceVersion=abc', 500, /^invalid shard selector/],
    ['&labelSelector=!!', 400, /^unable to parse requirement/],
    ['&resourceVersionMatch=Exact', 422, /resourceVersionMatch is forbidden unless/],
  ]
  for (const [more, wanted, text] of cases) {
    const { code, body } = await server.request('GET', `${MAPS}?shardSelector=x${more}`)
    assert.equal(code, wanted, more)
    assert.match(String(body['message']), text, more)
  }
  await assert.rejects(server.watch(`${MAPS}?watch=1&shardSelector=x`), { code: 500, message: why })
  const deletion = await server.request('DELETE', `${MAPS}?shardSelector=x`)
  assert.partialDeepStrictEqual(deletion.body, { code: 500, message: why })
})

test('without the gate nobody looks at the parameter', async () => {
  await closed.created(MAPS, mapOf('m'))
  for (const selector of ['x', LOW, HIGH]) {
    const { code, body } = await closed.request('GET', `${MAPS}?${query(selector)}`)
    assert.deepEqual([code, namesOf(body), 'shardInfo' in metadataOf(body)], [200, ['m'], false])
  }
})

test('a deletion takes the share and nothing else', async () => {
  const { body } = await server.request('DELETE', `${MAPS}?${query(LOW)}`)
  assert.deepEqual(namesOf(body), lowNames)
  assert.deepEqual(metadataOf(body)['shardInfo'], { selector: LOW })
  const rest = await server.request('GET', MAPS)
  assert.deepEqual(
    namesOf(rest.body),
    NAMES.filter((name) => !lowNames.includes(name)),
  )
})
