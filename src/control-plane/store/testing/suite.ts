/** The one test suite that every implementation of the store passes. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SeededRandom } from '#base/random.ts'
import {
  CompactedError,
  FutureRevisionError,
  StoreClosedError,
  prefixEnd,
  type Store,
  type StoreEvent,
} from '../store.ts'

export type StoreSuiteOptions = {
  readonly name: string
  /** An empty store. */
  open(): Promise<Store>
  /** Lets `ms` pass for the leases of the stores that `open` made. */
  advance(ms: number): Promise<void>
}

type Collector = {
  readonly events: StoreEvent[]
  readonly revisions: number[]
  error: Error | null
  until(condition: () => boolean): Promise<void>
  progress(): void
  cancel(): void
}

const bytes = (text: string): Buffer => Buffer.from(text)

/** Records all that a watch of `/a/` reports. */
export function collect(store: Store, revision: number, start = '/a/', end = prefixEnd(start)): Collector {
  let wake: (() => void) | null = null
  const notify = (): void => {
    wake?.()
    wake = null
  }
  const watch = store.watch({
    start,
    end,
    revision,
    onEvents: (events, upTo) => {
      collector.events.push(...events)
      collector.revisions.push(upTo)
      notify()
    },
    onError: (error) => {
      collector.error = error
      notify()
    },
  })
  const collector: Collector = {
    events: [],
    revisions: [],
    error: null,
    async until(condition) {
      while (!condition()) await new Promise<void>((resolve) => (wake = resolve))
    },
    progress: () => watch.requestProgress(),
    cancel: () => watch.cancel(),
  }
  return collector
}

async function put(store: Store, key: string, value: string, expectedRevision = 0, lease = 0): Promise<number> {
  const result = await store.write(key, { expectedRevision, value: bytes(value), lease })
  assert.ok(result.ok, `put ${key} failed`)
  return result.revision
}

async function remove(store: Store, key: string, expectedRevision: number): Promise<number> {
  const result = await store.write(key, { expectedRevision, value: null })
  assert.ok(result.ok)
  return result.revision
}

const keysOf = (entries: readonly { readonly key: string }[]): string[] => entries.map((entry) => entry.key)

export function storeSuite(options: StoreSuiteOptions): void {
  const check = (title: string, body: (store: Store) => Promise<void>): void => {
    test(`${options.name}: ${title}`, async () => {
      const store = await options.open()
      try {
        await body(store)
      } finally {
        await store.close()
      }
    })
  }
  writes(check)
  ranges(check)
  watches(check)
  compaction(check)
  leases(check, options)
  closing(options)
}

type Check = (title: string, body: (store: Store) => Promise<void>) => void

function writes(check: Check): void {
  check('starts at revision 1 and each write adds 1', async (store) => {
    assert.equal(await store.currentRevision(), 1)
    assert.equal(await put(store, '/a/1', 'x'), 2)
    assert.equal(await put(store, '/a/2', 'y'), 3)
    assert.equal(await store.currentRevision(), 3)
  })

  check('compare-and-swap', async (store) => {
    const first = await put(store, '/a/1', 'x')
    const refused = await store.write('/a/1', { expectedRevision: 0, value: bytes('z') })
    assert.deepEqual(refused, {
      ok: false,
      revision: first,
      current: { key: '/a/1', value: bytes('x'), modRevision: first, createRevision: first, lease: 0 },
    })
    const second = await put(store, '/a/1', 'y', first)
    const stale = await store.write('/a/1', { expectedRevision: first, value: null })
    assert.equal(stale.ok, false)
    assert.equal(await store.currentRevision(), second)
    const { entry } = await store.get('/a/1')
    assert.deepEqual(entry, { key: '/a/1', value: bytes('y'), modRevision: second, createRevision: first, lease: 0 })
  })

  check('deletes, and creates anew', async (store) => {
    const first = await put(store, '/a/1', 'x')
    const deleted = await remove(store, '/a/1', first)
    assert.equal((await store.get('/a/1')).entry, null)
    assert.equal((await store.get('/a/1', first)).entry?.value.toString(), 'x')
    assert.equal((await store.get('/a/1', deleted)).entry, null)
    const again = await put(store, '/a/1', 'y')
    assert.equal((await store.get('/a/1')).entry?.createRevision, again)
  })

  check('refuses to delete what does not exist', async (store) => {
    const result = await store.write('/a/none', { expectedRevision: 0, value: null })
    assert.deepEqual(result, { ok: false, revision: 1, current: null })
  })

  check('of concurrent writers of one key exactly one wins', async (store) => {
    const base = await put(store, '/a/1', 'base')
    const results = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        store.write('/a/1', { expectedRevision: base, value: bytes(`w${index}`) }),
      ),
    )
    const winners = results.filter((result) => result.ok)
    assert.equal(winners.length, 1)
    const { entry } = await store.get('/a/1')
    assert.equal(entry?.modRevision, winners[0]!.revision)
    for (const result of results) if (!result.ok) assert.deepEqual(result.current, entry)
  })

  check('writes of one turn may build on each other', async (store) => {
    const first = store.write('/a/1', { expectedRevision: 0, value: bytes('1') })
    const second = store.write('/a/1', { expectedRevision: 2, value: bytes('2') })
    const third = store.write('/a/1', { expectedRevision: 3, value: null })
    assert.deepEqual(await Promise.all([first, second, third]), [
      { ok: true, revision: 2 },
      { ok: true, revision: 3 },
      { ok: true, revision: 4 },
    ])
    assert.equal((await store.get('/a/1', 3)).entry?.value.toString(), '2')
  })

  check('concurrent writers: every answer is visible, revisions are unique and dense', async (store) => {
    const random = new SeededRandom(7)
    const seen = new Set<number>()
    const writer = async (id: number): Promise<void> => {
      let expected = 0
      for (let round = 0; round < 20; round++) {
        const value = random.next() < 0.2 && expected !== 0 ? null : bytes(`${id}-${round}`)
        const result = await store.write(`/a/${id}`, { expectedRevision: expected, value })
        assert.ok(result.ok)
        assert.ok(!seen.has(result.revision))
        seen.add(result.revision)
        expected = value === null ? 0 : result.revision
        assert.equal((await store.get(`/a/${id}`)).entry?.modRevision ?? 0, expected)
      }
    }
    await Promise.all(Array.from({ length: 20 }, (_, id) => writer(id)))
    assert.equal(await store.currentRevision(), 401)
    assert.deepEqual(
      [...seen].sort((left, right) => left - right),
      Array.from({ length: 400 }, (_, index) => index + 2),
    )
  })

  check('holds empty, binary and large values', async (store) => {
    const large = Buffer.from(new SeededRandom(3).bytes(1_500_000))
    for (const [index, value] of [Buffer.alloc(0), Buffer.from([0, 255, 0]), large].entries()) {
      await store.write(`/a/${index}`, { expectedRevision: 0, value })
      assert.ok((await store.get(`/a/${index}`)).entry!.value.equals(value))
    }
  })
}

function ranges(check: Check): void {
  const fill = async (store: Store): Promise<number> => {
    for (const key of ['/a/b', '/a/a', '/a/c', '/b/a', '/a']) await put(store, key, key)
    return store.currentRevision()
  }

  check('ranges are in order, with limit and count', async (store) => {
    const revision = await fill(store)
    const all = await store.range({ start: '/a/', end: prefixEnd('/a/') })
    assert.deepEqual(keysOf(all.entries), ['/a/a', '/a/b', '/a/c'])
    assert.equal(all.entries[1]!.value.toString(), '/a/b')
    assert.deepEqual([all.count, all.revision], [3, revision])
    const limited = await store.range({ start: '/a/b', end: prefixEnd('/a/'), limit: 1 })
    assert.deepEqual([keysOf(limited.entries), limited.count], [['/a/b'], 2])
    const counted = await store.range({ start: '/a/', end: prefixEnd('/a/'), countOnly: true })
    assert.deepEqual([counted.entries.length, counted.count], [0, 3])
    assert.equal((await store.range({ start: '/c', end: '/d' })).count, 0)
  })

  check('ranges as of an older revision', async (store) => {
    const revision = await fill(store)
    await remove(store, '/a/b', 2)
    await put(store, '/a/a', 'new', 3)
    await put(store, '/a/d', 'new')
    const old = await store.range({ start: '/a/', end: prefixEnd('/a/'), revision })
    assert.deepEqual(
      old.entries.map((entry) => entry.value.toString()),
      ['/a/a', '/a/b', '/a/c'],
    )
    assert.deepEqual([old.count, old.revision], [3, revision + 3])
    await assert.rejects(store.range({ start: '/a/', end: '/b', revision: revision + 4 }), FutureRevisionError)
    await assert.rejects(store.get('/a/a', revision + 4), FutureRevisionError)
  })

  check('keys sort by their bytes', async (store) => {
    const keys = ['/a/z', '/a/\u{1F600}', '/a/\uFFFD', '/a/\u00e9', '/a/Z', '/a/-', '/a/a.b', '/a/a/b']
    for (const key of keys) await put(store, key, key)
    const { entries } = await store.range({ start: '/a/', end: prefixEnd('/a/') })
    assert.deepEqual(
      keysOf(entries),
      keys.toSorted((left, right) => Buffer.compare(bytes(left), bytes(right))),
    )
  })

  check('many keys page by page at one revision, while others write', async (store) => {
    const names = Array.from({ length: 2500 }, (_, index) => `/a/${String((index * 7919) % 2500).padStart(4, '0')}`)
    await Promise.all(names.map((name) => put(store, name, name)))
    const revision = await store.currentRevision()
    const got: string[] = []
    for (let start = '/a/'; got.length < 2500; start = `${got.at(-1)}\0`) {
      const page = await store.range({ start, end: prefixEnd('/a/'), limit: 400, revision })
      assert.equal(page.count, 2500 - got.length)
      got.push(...page.entries.map((entry) => entry.value.toString()))
      const { entry } = await store.get(names[got.length % 2500]!)
      await store.write(entry!.key, { expectedRevision: entry!.modRevision, value: null })
    }
    assert.deepEqual(got, names.toSorted())
  })
}

function watches(check: Check): void {
  check('watches from now on', async (store) => {
    await put(store, '/a/1', 'x')
    const watch = collect(store, 0)
    const second = await put(store, '/a/1', 'y', 2)
    await put(store, '/b/1', 'other')
    await remove(store, '/a/1', second)
    await watch.until(() => watch.events.length === 2)
    assert.deepEqual(
      watch.events.map(({ type, entry, previous }) => [
        type,
        entry.modRevision,
        entry.value.toString(),
        previous?.value.toString(),
      ]),
      [
        ['put', 3, 'y', 'x'],
        ['delete', 5, '', 'y'],
      ],
    )
  })

  check('watches from a revision without gaps or duplicates, at any moment', async (store) => {
    const started: Collector[] = []
    for (let index = 0; index < 300; index++) {
      void store.write(`/a/${index % 10}`, { expectedRevision: 0, value: bytes(String(index)) })
      void store.write(`/b/${index}`, { expectedRevision: 0, value: bytes(String(index)) })
      if (index % 20 === 0) started.push(collect(store, (index % 3) * 10 + 2, '/b/'))
      if (index % 50 === 0) await store.get('/a/1')
    }
    await put(store, '/b/last', '')
    for (const watch of started) {
      await watch.until(() => watch.events.at(-1)?.key === '/b/last')
      const revisions = watch.events.map((event) => event.entry.modRevision)
      assert.deepEqual(
        revisions,
        [...new Set(revisions)].sort((left, right) => left - right),
      )
      const all = (await store.range({ start: '/b/', end: prefixEnd('/b/') })).entries
        .map((entry) => entry.modRevision)
        .filter((revision) => revision >= revisions[0]!)
      assert.deepEqual(
        revisions,
        all.sort((left, right) => left - right),
      )
    }
  })

  check('a long history is reported whole', async (store) => {
    await Promise.all(Array.from({ length: 3000 }, (_, index) => put(store, `/a/${index}`, 'v')))
    const watch = collect(store, 2)
    await watch.until(() => watch.events.length === 3000)
    assert.deepEqual(
      watch.events.map((event) => event.entry.modRevision),
      Array.from({ length: 3000 }, (_, index) => index + 2),
    )
  })

  check('progress reports the revision of other keys', async (store) => {
    const watch = collect(store, 0)
    const revision = await put(store, '/b/1', 'x')
    watch.progress()
    await watch.until(() => watch.revisions.length > 0)
    assert.deepEqual([watch.events.length, watch.revisions.at(-1)], [0, revision])
  })

  check('a callback may write and open watches, and is not re-entered', async (store) => {
    let running = false
    let nested: Collector | null = null
    const seen: string[] = []
    const done = new Promise<void>((resolve) => {
      store.watch({
        start: '/a/',
        end: prefixEnd('/a/'),
        revision: 0,
        onEvents: (events) => {
          assert.ok(!running)
          running = true
          seen.push(...keysOf(events))
          nested ??= collect(store, 2)
          if (seen.length < 5) void store.write(`/a/${seen.length}`, { expectedRevision: 0, value: bytes('') })
          else resolve()
          running = false
        },
        onError: () => {},
      })
    })
    await put(store, '/a/0', '')
    await done
    assert.deepEqual(seen, ['/a/0', '/a/1', '/a/2', '/a/3', '/a/4'])
    await nested!.until(() => nested!.events.length === 5)
  })

  check('nothing is called after cancel', async (store) => {
    const watch = collect(store, 2)
    const live = collect(store, 0)
    watch.cancel()
    live.progress()
    live.cancel()
    await put(store, '/a/1', 'x')
    await store.close()
    assert.deepEqual([watch.revisions, watch.error, live.revisions, live.error], [[], null, [], null])
  })

  check('a watch may start in the future', async (store) => {
    const watch = collect(store, 4)
    for (const name of ['1', '2', '3']) await put(store, `/a/${name}`, 'x')
    await watch.until(() => watch.events.length > 0)
    assert.deepEqual(keysOf(watch.events), ['/a/3'])
  })
}

function compaction(check: Check): void {
  check('forgets history before the revision and keeps what is current', async (store) => {
    await put(store, '/a/1', 'old')
    await put(store, '/a/1', 'middle', 2)
    await put(store, '/a/gone', 'x')
    await remove(store, '/a/gone', 4)
    await put(store, '/a/1', 'new', 3)
    await store.compact(5)
    assert.equal(store.compactedRevision(), 5)
    assert.equal((await store.get('/a/1', 5)).entry?.value.toString(), 'middle')
    assert.equal((await store.get('/a/1')).entry?.value.toString(), 'new')
    await assert.rejects(store.get('/a/1', 4), CompactedError)
    await assert.rejects(store.range({ start: '/', end: '0', revision: 4 }), CompactedError)
    await assert.rejects(store.compact(5), CompactedError)
    await assert.rejects(store.compact(99), FutureRevisionError)
    const late = collect(store, 4)
    await late.until(() => late.error !== null)
    assert.ok(late.error instanceof CompactedError)
    assert.equal((late.error as CompactedError).compactedRevision, 5)
    const resumed = collect(store, 5)
    await resumed.until(() => resumed.events.length === 2)
    assert.deepEqual(
      resumed.events.map((event) => [event.type, event.previous?.value.toString()]),
      [
        ['delete', 'x'],
        ['put', 'middle'],
      ],
    )
  })

  check('compaction while others read and write', async (store) => {
    let last = 0
    for (let round = 0; round < 200; round++) {
      last = await put(store, '/a/1', String(round), last)
      if (round % 20 === 19) {
        await store.compact(last - 5)
        assert.equal((await store.get('/a/1', last - 5)).entry?.value.toString(), String(round - 5))
      }
    }
    const watch = collect(store, store.compactedRevision() + 1)
    await watch.until(() => watch.events.length === 5)
  })
}

function leases(check: Check, options: StoreSuiteOptions): void {
  check('keys end with their lease', async (store) => {
    const lease = await store.grantLease(60)
    const kept = await store.grantLease(60)
    await put(store, '/a/1', 'x', 0, lease)
    await put(store, '/a/2', 'y', 0, lease)
    await put(store, '/a/2', 'unbound', 3)
    await put(store, '/a/3', 'z', 0, kept)
    const watch = collect(store, 0)
    await options.advance(40_000)
    assert.equal(await store.keepAliveLease(kept), true)
    await options.advance(30_000)
    await watch.until(() => watch.events.length > 0)
    assert.deepEqual(
      watch.events.map((event) => [event.type, event.key]),
      [['delete', '/a/1']],
    )
    const { entries } = await store.range({ start: '/a/', end: prefixEnd('/a/') })
    assert.deepEqual(keysOf(entries), ['/a/2', '/a/3'])
    assert.equal(await store.keepAliveLease(lease), false)
    assert.equal(entries[1]!.lease, kept)
  })

  check('a revoked lease takes its keys at once', async (store) => {
    const lease = await store.grantLease(60)
    await put(store, '/a/1', 'x', 0, lease)
    await store.revokeLease(lease)
    assert.equal((await store.get('/a/1')).entry, null)
    await assert.rejects(put(store, '/a/2', 'x', 0, lease), /lease \d+ does not exist/)
    assert.equal((await store.get('/a/2')).entry, null)
    await store.revokeLease(lease)
  })
}

function closing(options: StoreSuiteOptions): void {
  test(`${options.name}: close ends watches, keeps accepted writes, refuses new ones`, async () => {
    const store = await options.open()
    const watch = collect(store, 0)
    const write = store.write('/a/1', { expectedRevision: 0, value: bytes('x') })
    const closed = store.close()
    await assert.rejects(put(store, '/a/2', 'x'), StoreClosedError)
    assert.equal((await write).ok, true)
    await closed
    assert.deepEqual([keysOf(watch.events), watch.error?.name], [['/a/1'], 'StoreClosedError'])
    await assert.rejects(store.get('/a/1'), StoreClosedError)
    await assert.rejects(store.range({ start: '/', end: '0' }), StoreClosedError)
    assert.throws(() => collect(store, 0), StoreClosedError)
    await store.close()
  })
}
