/** Suite of all stores: watches from any revision, without gaps or duplicates. */
import assert from 'node:assert/strict'
import { prefixEnd } from '../store.ts'
import { bytes, collect, keysOf, put, remove, type Check, type Collector } from './suite-tools.ts'

export function watches(check: Check): void {
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
