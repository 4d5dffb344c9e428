/** Suite of all stores: compaction, and random histories against a model. */
import assert from 'node:assert/strict'
import { SeededRandom } from '#base/random.ts'
import { compareKeys } from '#base/sorted-records.ts'
import { CompactedError, FutureRevisionError, type Store } from '../store.ts'
import { bytes, collect, put, remove, type Check } from './suite-tools.ts'

export function compaction(check: Check): void {
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

/** Random writes and compactions against the plainest model: a full copy of the state at each revision. */
export function histories(check: Check): void {
  for (const seed of [1, 2, 3, 4, 5]) {
    check(`random histories read as they happened (seed ${seed})`, async (store) => {
      const random = new SeededRandom(seed)
      const pick = (count: number): number => Math.floor(random.next() * count)
      const states: Map<string, string>[] = [new Map(), new Map()]
      const changes: string[] = []
      for (let step = 0; step < 150; step++) {
        const state = new Map(states.at(-1))
        const key = `/${'ab'[pick(2)]}/${pick(8)}`
        const current = (await store.get(key)).entry
        assert.equal(current?.value.toString(), state.get(key))
        const value = current !== null && random.next() < 0.3 ? null : `${seed}-${step}`
        const result = await store.write(key, {
          expectedRevision: current?.modRevision ?? 0,
          value: value === null ? null : bytes(value),
        })
        assert.deepEqual(result, { ok: true, revision: states.length })
        changes.push(`${key} ${value} ${state.get(key)}`)
        if (value === null) state.delete(key)
        else state.set(key, value)
        states.push(state)
        if (random.next() < 0.05)
          await store.compact(Math.max(store.compactedRevision() + 1, states.length - 1 - pick(40)))
        await readsAs(store, states, store.compactedRevision() + pick(states.length - store.compactedRevision()))
      }
      for (let start = Math.max(2, store.compactedRevision()); start < states.length; start += 10) {
        const watch = collect(store, start, '/a/', '/c')
        await watch.until(() => watch.events.at(-1)?.entry.modRevision === states.length - 1)
        assert.deepEqual(
          watch.events.map(({ type, key, entry, previous }) => {
            return `${key} ${type === 'put' ? entry.value.toString() : null} ${previous?.value.toString()}`
          }),
          changes.slice(start - 2),
        )
        watch.cancel()
      }
    })
  }
}

async function readsAs(store: Store, states: readonly Map<string, string>[], revision: number): Promise<void> {
  if (revision < Math.max(1, store.compactedRevision())) return
  const { entries, count } = await store.range({ start: '/a/', end: '/c', revision })
  const wanted = [...states[revision]!].sort(([left], [right]) => compareKeys(left, right))
  assert.deepEqual(
    entries.map((entry) => [entry.key, entry.value.toString()]),
    wanted,
  )
  assert.equal(count, wanted.length)
}
