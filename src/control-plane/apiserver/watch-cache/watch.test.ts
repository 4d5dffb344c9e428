/** Watches on the cache: where they begin, what selectors see, bookmarks, and what happens to slow readers. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { VirtualClock } from '#base/virtual-clock.ts'
import { createMemoryStore } from '../../store/memory/memory-store.ts'
import { CompactedError, type Store, type WatchOptions } from '../../store/store.ts'
import type { WatchStream } from '../request.ts'
import { BOOKMARK_PERIOD_MS } from './bookmark-clock.ts'
import type { Matches } from './cache-event.ts'
import { CacheFixture, describe, take } from './testing.ts'
import type { WatchRequest } from './watch-opener.ts'

const signal = new AbortController().signal
const isWeb: Matches = (pod) => pod.labels()['app'] === 'web'

async function twoPods(): Promise<CacheFixture> {
  const fixture = new CacheFixture()
  await fixture.put('a', 'x', { labels: { app: 'web' } })
  await fixture.put('b', 'y', { nodeName: 'n1' })
  await fixture.cache.list({})
  return fixture
}

const STARTS: { title: string; request: Omit<WatchRequest, 'signal'>; first: string[] }[] = [
  { title: 'without a version: the state', request: {}, first: ['ADDED a/x@2', 'ADDED b/y@3', 'ADDED a/new@5'] },
  {
    title: 'at 0: the state',
    request: { resourceVersion: '0' },
    first: ['ADDED a/x@2', 'ADDED b/y@3', 'ADDED a/new@5'],
  },
  { title: 'from a revision', request: { resourceVersion: '2' }, first: ['ADDED b/y@3', 'ADDED a/new@5'] },
  { title: 'from the newest revision', request: { resourceVersion: '4' }, first: ['ADDED a/new@5'] },
  {
    title: 'at 0 without the state',
    request: { resourceVersion: '0', sendInitialEvents: false },
    first: ['ADDED a/new@5'],
  },
  {
    title: 'with the state and its end',
    request: { sendInitialEvents: true, allowBookmarks: true },
    first: ['ADDED a/x@2', 'ADDED b/y@3', 'BOOKMARK@4 end', 'ADDED a/new@5'],
  },
  {
    title: 'with the state, not older than a revision',
    request: { sendInitialEvents: true, allowBookmarks: true, resourceVersion: '4' },
    first: ['ADDED a/x@2', 'ADDED b/y@3', 'BOOKMARK@4 end', 'ADDED a/new@5'],
  },
  {
    title: 'with the state for a client without bookmarks',
    request: { sendInitialEvents: true, resourceVersion: '0' },
    first: ['ADDED a/x@2', 'ADDED b/y@3', 'ADDED a/new@5'],
  },
  { title: 'in a namespace', request: { namespace: 'b' }, first: ['ADDED b/y@3', 'ADDED b/new@6'] },
  { title: 'of one object', request: { namespace: 'b', name: 'y' }, first: ['ADDED b/y@3', 'DELETED b/y@7'] },
  {
    title: 'of one name anywhere',
    request: { name: 'new', resourceVersion: '4' },
    first: ['ADDED a/new@5', 'ADDED b/new@6'],
  },
  {
    title: 'of an indexed field',
    request: { indexedValue: 'n1', matches: (pod) => pod.field('spec.nodeName') === 'n1' },
    first: ['ADDED b/y@3', 'DELETED b/y@7'],
  },
]

for (const { title, request, first } of STARTS) {
  test(`a watch starts ${title}`, async () => {
    const fixture = await twoPods()
    await fixture.touch()
    await fixture.cache.list({})
    const stream = await fixture.cache.watch({ ...request, signal })
    await fixture.put('a', 'new')
    await fixture.put('b', 'new')
    await fixture.remove('b', 'y')
    const events = await take(stream, first.length)
    assert.deepEqual(events.slice(0, first.length), first)
  })
}

test('a selector sees objects enter and leave', async () => {
  const fixture = await twoPods()
  const stream = await fixture.cache.watch({ matches: isWeb, resourceVersion: '3', signal })
  await fixture.put('a', 'x', { labels: { app: 'web' }, phase: 'Running' })
  await fixture.put('a', 'x', { labels: { app: 'db' } })
  await fixture.put('a', 'x', { labels: { app: 'db' }, phase: 'Running' })
  await fixture.put('b', 'y', { labels: { app: 'web' } })
  await fixture.remove('a', 'x')
  await fixture.remove('b', 'y')
  const events = (await stream.next())!
  assert.deepEqual(describe(events), ['MODIFIED a/x@4', 'DELETED a/x@5', 'ADDED b/y@7', 'DELETED b/y@9'])
  // What left is shown as it was when it still matched.
  assert.deepEqual(JSON.parse(events[1]!.bytes.toString()).metadata.labels, { app: 'web' })
})

test('an event is made once for all watchers', async () => {
  const fixture = await twoPods()
  const streams = await Promise.all(
    [{}, { namespace: 'a' }, { namespace: 'a', name: 'x' }, { matches: isWeb }].map((request) =>
      fixture.cache.watch({ ...request, resourceVersion: '3', signal }),
    ),
  )
  await fixture.put('a', 'x', { labels: { app: 'web' }, phase: 'Running' })
  await fixture.remove('a', 'x')
  const batches = await Promise.all(streams.map((stream) => stream.next()))
  for (const batch of batches) {
    assert.deepEqual(describe(batch!), ['MODIFIED a/x@4', 'DELETED a/x@5'])
    assert.equal(batch![0], batches[0]![0])
    assert.equal(batch![1]!.bytes, batches[0]![1]!.bytes)
  }
  assert.equal(batches[0]![0]!.bytes.toString().includes('"resourceVersion":"4"'), true)
})

test('a revision that is forgotten ends the watch with 410', async () => {
  const fixture = new CacheFixture()
  for (let number = 0; number < 3000; number++) await fixture.touch()
  await fixture.put('a', 'x')
  const restarted = fixture.openCache()
  const stream = await restarted.watch({ resourceVersion: '5', signal })
  assert.deepEqual(await take(stream, 1), ['ERROR Expired: too old resource version: 5 (1002)'])
  assert.equal(await stream.next(), null)
})

test('a state that never comes ends the watch with 504', async () => {
  const fixture = await twoPods()
  const opening = fixture.cache.watch({ sendInitialEvents: true, resourceVersion: '99', signal })
  await fixture.clock.advance(4000)
  const stream = await opening
  assert.deepEqual(await take(stream, 1), ['ERROR Timeout: Timeout: Too large resource version: 99, current: 3'])
})

test('bookmarks come about once a minute, with the newest revision', async () => {
  const fixture = await twoPods()
  const stream = await fixture.cache.watch({ resourceVersion: '3', allowBookmarks: true, signal })
  const without = await fixture.cache.watch({ resourceVersion: '3', signal })
  const next = stream.next()
  await fixture.touch()
  await fixture.clock.advance(BOOKMARK_PERIOD_MS - 10_001)
  let came = false
  void next.then(() => (came = true))
  await fixture.clock.advance(0)
  assert.equal(came, false)
  await fixture.clock.advance(10_001)
  assert.deepEqual(describe((await next)!), ['BOOKMARK@4'])
  await fixture.touch()
  await fixture.clock.advance(BOOKMARK_PERIOD_MS)
  assert.deepEqual(describe((await stream.next())!), ['BOOKMARK@5'])
  await fixture.put('a', 'new')
  assert.deepEqual(await take(without, 1), ['ADDED a/new@6'])
  stream.close()
  without.close()
  assert.equal(fixture.clock.nextTimerAt(), null)
})

test('a watch ends after its time, with a last bookmark shortly before', async () => {
  const fixture = await twoPods()
  const stream = await fixture.cache.watch({ resourceVersion: '3', allowBookmarks: true, timeoutMs: 30_000, signal })
  await fixture.put('a', 'new')
  assert.deepEqual(await take(stream, 1), ['ADDED a/new@4'])
  await fixture.clock.advance(28_000)
  assert.deepEqual(await take(stream, 1), ['BOOKMARK@4'])
  const end = stream.next()
  await fixture.clock.advance(2000)
  assert.equal(await end, null)
})

test('an aborted request ends its watch', async () => {
  const fixture = await twoPods()
  const request = new AbortController()
  const stream = await fixture.cache.watch({ resourceVersion: '3', signal: request.signal })
  const end = stream.next()
  request.abort()
  assert.equal(await end, null)
  await fixture.put('a', 'new')
  assert.equal(await stream.next(), null)
})

test('a reader that does not read is cut off, and the others are not', async () => {
  const fixture = await twoPods()
  const slow = await fixture.cache.watch({ resourceVersion: '3', signal })
  const quick = await fixture.cache.watch({ resourceVersion: '3', signal })
  const narrow = await fixture.cache.watch({ resourceVersion: '3', namespace: 'b', name: 'y', signal })
  let seen = 0
  for (let round = 0; round < 101; round++) {
    const writes = Array.from({ length: 100 }, (_, index) => fixture.put('a', `p${round}-${index}`))
    await Promise.all(writes)
    while (seen < (round + 1) * 100) seen += (await quick.next())!.length
  }
  assert.equal(await slow.next(), null)
  assert.equal(seen, 10_100)
  await fixture.remove('b', 'y')
  assert.deepEqual(await take(narrow, 1), ['DELETED b/y@10104'])
})

test('a long state comes in slices, and what happens meanwhile comes after it', async () => {
  const fixture = new CacheFixture()
  const names = Array.from({ length: 1200 }, (_, index) => String(index).padStart(4, '0'))
  await Promise.all(names.map((name) => fixture.put('a', name)))
  const stream = await fixture.cache.watch({
    resourceVersion: '0',
    sendInitialEvents: true,
    allowBookmarks: true,
    signal,
  })
  const first = (await stream.next())!
  await fixture.put('a', '0000', { phase: 'Running' })
  const rest = [...(await stream.next())!, ...(await stream.next())!]
  assert.deepEqual([first.length, rest.length], [500, 701])
  assert.equal(describe(rest).at(-1), 'BOOKMARK@1201 end')
  assert.deepEqual(await take(stream, 1), ['MODIFIED a/0000@1202'])
})

test('when the store goes, watches end in an orderly way', async () => {
  const fixture = await twoPods()
  const stream = await fixture.cache.watch({ resourceVersion: '3', signal })
  const end = stream.next()
  await fixture.store.close()
  assert.equal(await end, null)
})

test('when its watch of the store breaks, the cache ends its watches, reads anew and goes on', async () => {
  const store = createMemoryStore({ clock: new VirtualClock() })
  const breaks: ((error: Error) => void)[] = []
  const breaking: Store = Object.create(store, {
    watch: {
      value: (options: WatchOptions) => {
        const watch = store.watch(options)
        breaks.push((error) => (watch.cancel(), options.onError(error)))
        return watch
      },
    },
    get: { value: store.get.bind(store) },
    range: { value: store.range.bind(store) },
    write: { value: store.write.bind(store) },
    currentRevision: { value: store.currentRevision.bind(store) },
    compactedRevision: { value: store.compactedRevision.bind(store) },
  })
  const fixture = new CacheFixture({ store: breaking })
  await fixture.put('a', 'x')
  await fixture.put('a', 'gone')
  const stream = await fixture.cache.watch({ resourceVersion: '0', signal })
  await take(stream, 2)
  const end = stream.next()
  breaks[0]!(new CompactedError(9))
  assert.equal(await end, null)
  await fixture.remove('a', 'gone')
  const listing = fixture.cache.list({})
  await fixture.clock.advance(1000)
  const list = await listing
  assert.deepEqual([list.items.map((item) => item.name), list.resourceVersion, breaks.length], [['x'], '4', 2])
  const resumed = await fixture.cache.watch({ resourceVersion: '3', signal })
  assert.deepEqual(await take(resumed, 1), ['DELETED a/gone@4'])
})

/** Applies what a watcher sees to what it knows; fails on an event that makes no sense. */
function follow(known: Map<string, string>, events: readonly string[]): void {
  for (const event of events) {
    const [, type, name, revision] = /^(\w+) (\S+)@(\d+)$/.exec(event)!
    assert.equal(known.has(name!), type !== 'ADDED', event)
    if (type === 'DELETED') known.delete(name!)
    else known.set(name!, revision!)
  }
}

test('whatever happens, a watcher knows exactly what a list shows', async () => {
  const action = fc.record({
    namespace: fc.constantFrom('a', 'b'),
    name: fc.constantFrom('x', 'y', 'z'),
    app: fc.constantFrom('web', 'db', null),
    drain: fc.boolean(),
  })
  const start = fc.record({ at: fc.nat(39), namespace: fc.constantFrom('', 'a'), name: fc.constantFrom('', 'x') })
  await fc.assert(
    fc.asyncProperty(fc.array(action, { minLength: 40, maxLength: 40 }), fc.array(start), async (actions, starts) => {
      const fixture = new CacheFixture()
      const watchers: { stream: WatchStream; known: Map<string, string>; request: WatchRequest }[] = []
      for (const [index, { namespace, name, app, drain }] of actions.entries()) {
        for (const { namespace, name } of starts.filter((one) => one.at === index)) {
          const scope = { namespace, name }
          const request: WatchRequest = { ...scope, matches: isWeb, signal }
          const list = await fixture.cache.list({ ...scope, matches: isWeb })
          const known = new Map(list.items.map((item) => [`${item.namespace}/${item.name}`, String(item.revision)]))
          const stream = await fixture.cache.watch({ ...request, resourceVersion: list.resourceVersion })
          watchers.push({ stream, known, request })
        }
        const exists = fixture.cache.peek(fixture.cache.keyOf(namespace, name)) !== null
        if (app !== null) await fixture.put(namespace, name, { labels: { app } })
        else if (exists) await fixture.remove(namespace, name)
        if (drain && app === 'web') await fixture.put(namespace, name, { labels: { app } })
      }
      await fixture.put('a', 'x', { labels: { app: 'web' } })
      const last = await fixture.cache.list({})
      for (const { stream, known, request } of watchers) {
        const mark = `a/x`
        while (known.get(mark) !== last.resourceVersion) follow(known, describe((await stream.next())!))
        const { namespace = '', name = '' } = request
        const list = await fixture.cache.list({ namespace, name, matches: isWeb })
        const wanted = list.items.map((item) => [`${item.namespace}/${item.name}`, String(item.revision)])
        assert.deepEqual([...known].sort(), wanted.sort())
      }
    }),
    { numRuns: 60 },
  )
})
