/** Suite of all stores: revisions, compare-and-swap, concurrent writers, ranges. */
import assert from 'node:assert/strict'
import { SeededRandom } from '#base/random.ts'
import { FutureRevisionError, prefixEnd, type Store } from '../store.ts'
import { bytes, keysOf, put, remove, type Check } from './suite-tools.ts'

export function writes(check: Check): void {
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

export function ranges(check: Check): void {
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
