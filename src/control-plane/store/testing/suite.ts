/** The one test suite that every implementation of the store passes. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { prefixEnd, StoreClosedError, type Store } from '../store.ts'
import { compaction, histories } from './history-checks.ts'
import { bytes, collect, keysOf, put, type Check } from './suite-tools.ts'
import { watches } from './watch-checks.ts'
import { ranges, writes } from './write-checks.ts'

export type StoreSuiteOptions = {
  readonly name: string
  /** An empty store. */
  open(): Promise<Store>
  /** Lets `ms` pass for the leases of the stores that `open` made. */
  advance(ms: number): Promise<void>
}

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
  histories(check)
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
