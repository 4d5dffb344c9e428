/** Objects with a time to live go when it is over, and share their leases. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '#base/virtual-clock.ts'
import { createMemoryStore } from '#control-plane/store/memory/memory-store.ts'
import { Expiry } from './expiry.ts'

const HOUR_MS = 3_600_000

test('objects written within a minute share a lease, and go when it ends', async () => {
  const clock = new VirtualClock()
  const store = createMemoryStore({ clock })
  const expiry = new Expiry({ store, clock, ttlSeconds: 3600 })
  const first = await expiry.lease()
  await store.write('/registry/events/a', { expectedRevision: 0, value: Buffer.from('{}'), lease: first })
  assert.equal(await expiry.lease(), first)
  await clock.advance(61_000)
  assert.notEqual(await expiry.lease(), first)
  await clock.advance(HOUR_MS - 62_000)
  assert.notEqual((await store.get('/registry/events/a')).entry, null, 'it lives as long as it was promised')
  await clock.advance(61_000)
  assert.equal((await store.get('/registry/events/a')).entry, null)
  await store.close()
})

test('a lease is not shared by more objects than upstream allows', async () => {
  const clock = new VirtualClock()
  const store = createMemoryStore({ clock })
  const expiry = new Expiry({ store, clock, ttlSeconds: 3600 })
  const leases = await Promise.all(Array.from({ length: 1001 }, () => expiry.lease()))
  assert.equal(new Set(leases.slice(0, 1000)).size, 1)
  assert.notEqual(leases[1000], leases[0])
  await store.close()
})

test('without a time to live there is no lease', async () => {
  const clock = new VirtualClock()
  const store = createMemoryStore({ clock })
  assert.equal(await new Expiry({ store, clock, ttlSeconds: 0 }).lease(), 0)
  await store.close()
})
