/** Cluster addresses and node ports are taken once, from their ranges, and are free again when let go. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AllocationError } from '#api/core/service/allocation.ts'
import { SeededRandom } from '#base/random.ts'
import { AddressPool } from './address-pool.ts'
import { PortPool } from './port-pool.ts'

test('addresses are drawn above those that are kept for who asks by name, until no others are left', () => {
  const pool = new AddressPool('10.0.0.0/27', new SeededRandom(3))
  const drawn = Array.from({ length: 30 }, () => pool.take(''))
  assert.equal(new Set(drawn).size, 30)
  const last = (address: string): number => Number(address.split('.')[3])
  assert.ok(drawn.slice(0, 15).every((address) => last(address) >= 16))
  assert.throws(() => pool.take(''), AllocationError)
  pool.release('10.0.0.9')
  assert.equal(pool.take(''), '10.0.0.9')
})

test('an address is taken once, and only from the range', () => {
  const pool = new AddressPool('10.0.0.0/24', new SeededRandom(3))
  pool.restore('10.0.0.7')
  assert.throws(() => pool.take('10.0.0.7'), /already allocated/)
  assert.throws(() => pool.check('10.0.1.1'), /valid IPs is 10.0.0.0\/24/)
  pool.check('10.0.0.8')
  assert.equal(pool.take('10.0.0.8'), '10.0.0.8')
})

test('a port that two Services hold is free when both have let it go', () => {
  const pool = new PortPool({ from: 30_000, to: 30_010 }, new SeededRandom(3))
  pool.restore(30_001)
  pool.restore(30_001)
  pool.release(30_001)
  assert.throws(() => pool.take(30_001), /already allocated/)
  pool.release(30_001)
  assert.equal(pool.take(30_001), 30_001)
  assert.throws(() => pool.take(29_999), /valid ports is 30000-30010/)
})
