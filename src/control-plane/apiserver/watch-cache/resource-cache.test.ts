/** Get and list of the watch cache, by Kubernetes' rules of resourceVersion. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import { isExpired, StatusError } from '#machinery/status-error.ts'
import { decodeContinue, encodeContinue } from './continue-token.ts'
import type { ListOptions } from './resource-cache.ts'
import type { ListResult } from './list-reader.ts'
import { CacheFixture, type TestPod } from './testing.ts'

const ANY_SIGNAL = new AbortController().signal

const describeList = (list: ListResult): string[] =>
  list.items.map((item) => `${item.namespace}/${item.name}@${item.revision}`)

async function threePods(): Promise<CacheFixture> {
  const fixture = new CacheFixture()
  await fixture.put('a', 'x', { labels: { app: 'web' }, nodeName: 'n1' })
  await fixture.put('a', 'y', { labels: { app: 'db' }, nodeName: 'n2' })
  await fixture.put('b', 'z', { labels: { app: 'web' } })
  return fixture
}

async function refusal(promise: Promise<unknown>): Promise<StatusError> {
  const error = await promise.then(
    () => null,
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof StatusError, String(error))
  return error
}

test('an object is served with its revision, its bytes and a frozen view', async () => {
  const { cache } = await threePods()
  const pod = await cache.get('/registry/pods/a/x')
  assert.equal(
    pod!.bytes.toString(),
    '{"kind":"Pod","apiVersion":"v1","metadata":{"name":"x","namespace":"a","uid":"uid-x","resourceVersion":"2",' +
      '"labels":{"app":"web"}},"spec":{"nodeName":"n1"},"status":{}}',
  )
  assert.equal(pod!.revision, 2)
  const object = pod!.object() as TestPod
  assert.equal(object.metadata.resourceVersion, '2')
  assert.equal(pod!.object(), object)
  assert.throws(() => (object.spec.nodeName = 'other'), TypeError)
  assert.deepEqual(
    [pod!.labels(), pod!.field('spec.nodeName'), pod!.field('metadata.name')],
    [{ app: 'web' }, 'n1', 'x'],
  )
  assert.equal(pod!.field('spec.other'), undefined)
  assert.equal(await cache.get('/registry/pods/a/none'), null)
})

test('a consistent get sees every write that was acknowledged before', async () => {
  const fixture = await threePods()
  await fixture.cache.get('/registry/pods/a/x')
  for (let round = 0; round < 10; round++) {
    const revision = await fixture.put('a', 'x', { phase: String(round) })
    assert.equal((await fixture.cache.get('/registry/pods/a/x'))!.revision, revision)
    const other = await fixture.touch()
    assert.equal((await fixture.cache.list({})).resourceVersion, String(other))
  }
})

test('a revision that has not come yet is waited for, up to three seconds', async () => {
  const fixture = await threePods()
  await fixture.cache.get('/registry/pods/a/x')
  const arriving = fixture.cache.list({ resourceVersion: '6', resourceVersionMatch: 'NotOlderThan' })
  await fixture.clock.advance(500)
  await fixture.touch()
  await fixture.touch()
  await fixture.clock.advance(500)
  assert.equal((await arriving).resourceVersion, '6')
  const never = refusal(fixture.cache.get('/registry/pods/a/x', '99'))
  await fixture.clock.advance(4000)
  const { code, reason, message, details } = await never
  assert.deepEqual([code, reason, message], [504, 'Timeout', 'Timeout: Too large resource version: 99, current: 6'])
  assert.deepEqual(details?.causes, [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }])
})

const LISTS: { title: string; options: ListOptions; items: string[]; revision?: string }[] = [
  { title: 'all', options: {}, items: ['a/x@2', 'a/y@3', 'b/z@4'] },
  { title: 'a namespace', options: { namespace: 'a' }, items: ['a/x@2', 'a/y@3'] },
  { title: 'an empty namespace', options: { namespace: 'aa' }, items: [] },
  { title: 'one name', options: { namespace: 'a', name: 'y' }, items: ['a/y@3'] },
  { title: 'one name in all namespaces', options: { name: 'z' }, items: ['b/z@4'] },
  { title: 'one name and a selector', options: { namespace: 'a', name: 'y', matches: () => false }, items: [] },
  { title: 'labels', options: { matches: (pod) => pod.labels()['app'] === 'web' }, items: ['a/x@2', 'b/z@4'] },
  { title: 'a field', options: { matches: (pod) => pod.field('spec.nodeName') === 'n2' }, items: ['a/y@3'] },
  { title: 'any version', options: { resourceVersion: '0' }, items: ['a/x@2', 'a/y@3', 'b/z@4'] },
  {
    title: 'any version ignores the limit',
    options: { resourceVersion: '0', limit: 1 },
    items: ['a/x@2', 'a/y@3', 'b/z@4'],
  },
  { title: 'not older, implied', options: { resourceVersion: '2' }, items: ['a/x@2', 'a/y@3', 'b/z@4'] },
  {
    title: 'exactly',
    options: { resourceVersion: '3', resourceVersionMatch: 'Exact' },
    items: ['a/x@2', 'a/y@3'],
    revision: '3',
  },
  {
    title: 'exactly, one name',
    options: { namespace: 'b', name: 'z', resourceVersion: '3', resourceVersionMatch: 'Exact' },
    items: [],
    revision: '3',
  },
  {
    title: 'exactly, by a limit with a version',
    options: { resourceVersion: '3', limit: 5 },
    items: ['a/x@2', 'a/y@3'],
    revision: '3',
  },
]

for (const { title, options, items, revision = '4' } of LISTS) {
  test(`lists ${title}`, async () => {
    const { cache } = await threePods()
    const list = await cache.list(options)
    assert.deepEqual([describeList(list), list.resourceVersion, list.continue], [items, revision, ''])
  })
}

test('pages show one state while others write', async () => {
  const fixture = new CacheFixture()
  for (let number = 0; number < 10; number++) await fixture.put('a', `p${number}`)
  const pages: string[][] = []
  const counts: (number | undefined)[] = []
  let token = ''
  do {
    const page = await fixture.cache.list({ limit: 3, continue: token })
    assert.equal(page.resourceVersion, '11')
    pages.push(page.items.map((item) => `${item.name}@${item.revision}`))
    counts.push(page.remainingItemCount)
    token = page.continue
    await fixture.put('a', 'p9', { phase: String(pages.length) })
    await fixture.put('a', `p${pages.length}5`)
    if (pages.length === 1) await fixture.remove('a', 'p4')
  } while (token !== '')
  assert.deepEqual(pages, [['p0@2', 'p1@3', 'p2@4'], ['p3@5', 'p4@6', 'p5@7'], ['p6@8', 'p7@9', 'p8@10'], ['p9@11']])
  assert.deepEqual(counts, [7, 4, 1, undefined])
})

test('pages of a selector have no count, and end without an empty page', async () => {
  const fixture = new CacheFixture()
  for (let number = 0; number < 10; number++) {
    await fixture.put('a', `p${number}`, { labels: { even: String(number % 2 === 0) } })
  }
  const matches: ListOptions['matches'] = (pod) => pod.labels()['even'] === 'true'
  const first = await fixture.cache.list({ limit: 2, matches })
  await fixture.remove('a', 'p6')
  const second = await fixture.cache.list({ limit: 2, matches, continue: first.continue })
  const last = await fixture.cache.list({ limit: 2, matches, continue: second.continue })
  assert.deepEqual(
    [first, second, last].map((page) => [page.items.map((item) => item.name), page.remainingItemCount]),
    [
      [['p0', 'p2'], undefined],
      [['p4', 'p6'], undefined],
      [['p8'], undefined],
    ],
  )
  // p9 stands behind p8: whether it matches is not known before it is looked at.
  assert.equal(last.continue, '')
})

test('after compaction a page answers 410 with a token that goes on at the current state', async () => {
  const fixture = await threePods()
  const first = await fixture.cache.list({ limit: 1 })
  await fixture.put('a', 'y', { phase: 'new' })
  await fixture.store.compact(5)
  const error = await refusal(fixture.cache.list({ limit: 1, continue: first.continue }))
  const status = error.toStatus()
  assert.ok(isExpired(error))
  assert.equal(status.code, 410)
  assert.match(status.message!, /^The provided continue parameter is too old to display a consistent list result\./)
  const rest = await fixture.cache.list({ limit: 5, continue: status.metadata.continue! })
  assert.deepEqual([describeList(rest), rest.resourceVersion], [['a/y@5', 'b/z@4'], '5'])
  const exact = await refusal(fixture.cache.list({ resourceVersion: '3', resourceVersionMatch: 'Exact' }))
  assert.equal(exact.message, 'The resourceVersion for the provided list is too old.')
  // Nothing changed since revision 5: the cache itself is that state.
  assert.equal((await fixture.cache.list({ resourceVersion: '5', resourceVersionMatch: 'Exact' })).items.length, 3)
})

const PREFIX = '/registry/pods/'
const token = (text: string): string => Buffer.from(text).toString('base64url')
const BAD_LISTS: { title: string; options: ListOptions; message: string }[] = [
  {
    title: 'a version that is no number',
    options: { resourceVersion: 'abc' },
    message:
      'invalid resource version: resourceVersion: Invalid value: "abc": strconv.ParseUint: parsing "abc": invalid syntax',
  },
  {
    title: 'a token that is no base64',
    options: { continue: 'a!b' },
    message: 'invalid continue token: continue key is not valid: illegal base64 data at input byte 1',
  },
  {
    title: 'a token of another format',
    options: { continue: token('{"v":"v9","rv":4,"start":"a"}') },
    message: 'invalid continue token: continue key is not valid: server does not recognize this encoded version v9',
  },
  {
    title: 'a token without revision',
    options: { continue: token('{"v":"meta.k8s.io/v1","start":"a"}') },
    message:
      'invalid continue token: continue key is not valid: incorrect encoded start resourceVersion (version meta.k8s.io/v1)',
  },
  {
    title: 'a token without key',
    options: { continue: token('{"v":"meta.k8s.io/v1","rv":4}') },
    message: 'invalid continue token: continue key is not valid: encoded start key empty (version meta.k8s.io/v1)',
  },
  {
    title: 'a token that climbs out',
    options: { continue: token('{"v":"meta.k8s.io/v1","rv":4,"start":"../secrets"}') },
    message: 'invalid continue token: continue key is not valid: ../secrets',
  },
  {
    title: 'a token together with a version',
    options: { continue: encodeContinue({ startKey: `${PREFIX}a/x`, revision: 4 }, PREFIX), resourceVersion: '4' },
    message: 'specifying resource version is not allowed when using continue',
  },
]

const BAD_TOKENS: [text: string, why: string][] = [
  ['x', "invalid character 'x' looking for beginning of value"],
  ['{"v":', 'unexpected end of JSON input'],
  ['[]', 'json: cannot unmarshal array into Go value of type storage.continueToken'],
  ['null', 'server does not recognize this encoded version '],
  ['{"v":1}', 'json: cannot unmarshal number into Go struct field continueToken.v of type string'],
  [
    '{"v":"meta.k8s.io/v1","rv":"x"}',
    'json: cannot unmarshal string into Go struct field continueToken.rv of type int64',
  ],
]

for (const [text, why] of BAD_TOKENS) {
  test(`refuses the token ${text}`, async () => {
    const { cache } = await threePods()
    const error = await refusal(cache.list({ continue: token(text) }))
    assert.deepEqual([error.code, error.message], [400, `invalid continue token: continue key is not valid: ${why}`])
  })
}

test('a get or a watch at a version that is no number fails as upstream does', async () => {
  const { cache } = await threePods()
  const message = 'resourceVersion: Invalid value: "abc": strconv.ParseUint: parsing "abc": invalid syntax'
  for (const refused of [
    cache.get('/registry/pods/a/x', 'abc'),
    cache.watch({ resourceVersion: 'abc', signal: ANY_SIGNAL }),
  ]) {
    const error = await refusal(refused)
    assert.deepEqual([error.code, error.reason, error.message], [500, '', message])
  }
})

for (const { title, options, message } of BAD_LISTS) {
  test(`refuses ${title}`, async () => {
    const { cache } = await threePods()
    const error = await refusal(cache.list(options))
    assert.deepEqual([error.code, error.reason, error.message], [400, 'BadRequest', message])
  })
}

test('a continue token is what upstream makes of it', () => {
  const encoded = encodeContinue({ startKey: `${PREFIX}a/x\0`, revision: 12 }, PREFIX)
  assert.equal(Buffer.from(encoded, 'base64url').toString(), '{"v":"meta.k8s.io/v1","rv":12,"start":"a/x\\u0000"}')
  assert.deepEqual(decodeContinue(encoded, PREFIX), { startKey: `${PREFIX}a/x\0`, revision: 12 })
})

test('a written object need not be decoded again, and keeps one identity', async () => {
  const fixture = await threePods()
  await fixture.cache.get('/registry/pods/a/x')
  const meta = { name: 'new', namespace: 'a', uid: 'uid-new', creationTimestamp: '2026-01-01T00:00:00Z' }
  const object = { kind: 'Pod', apiVersion: 'v1', metadata: meta as KubernetesObject['metadata'] }
  const value = Buffer.from(JSON.stringify(object))
  fixture.cache.rememberDecoded(value, object)
  const { revision } = await fixture.store.write('/registry/pods/a/new', { expectedRevision: 0, value })
  const stored = fixture.cache.storedObject('/registry/pods/a/new', revision, value)
  assert.equal(stored, fixture.cache.peek('/registry/pods/a/new'))
  assert.deepEqual(stored.object(), { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } })
  assert.equal(JSON.parse(stored.bytes.toString()).metadata.resourceVersion, String(revision))
})

test('a cache that has just started serves watches from before it started', async () => {
  const fixture = await threePods()
  await fixture.remove('a', 'x')
  const restarted = fixture.openCache()
  const stream = await restarted.watch({ resourceVersion: '3', signal: ANY_SIGNAL })
  const events = await stream.next()
  assert.deepEqual(
    events!.map((event) => [event.type, JSON.parse(event.bytes.toString()).metadata.resourceVersion]),
    [
      ['ADDED', '4'],
      ['DELETED', '5'],
    ],
  )
})
