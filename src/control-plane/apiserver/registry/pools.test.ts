/** Cluster addresses and node ports are taken once, from their ranges, and are free again when let go. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AllocationError } from '#api/core/service/allocation.ts'
import type { ServiceCIDR } from '#api/networking/v1.gen.ts'
import { SeededRandom } from '#base/random.ts'
import { PortPool } from './port-pool.ts'
import { ServiceAddresses } from './service-addresses.ts'

const pools = (range: string): ServiceAddresses => new ServiceAddresses(range, new SeededRandom(3))
const serviceCidr = (name: string, range: string, parts: { deleted?: true; ready?: string } = {}): ServiceCIDR => ({
  metadata: {
    name,
    ...(parts.deleted ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}),
  } as ServiceCIDR['metadata'],
  spec: { cidrs: range.split(',') },
  status: {
    conditions:
      parts.ready === undefined
        ? []
        : [{ type: 'Ready', status: parts.ready, reason: '', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' }],
  },
})
const draw = (addresses: ServiceAddresses, count: number): string[] =>
  Array.from({ length: count }, () => addresses.take('IPv4', ''))

test('addresses are drawn above those that are kept for who asks by name, until no others are left', () => {
  const addresses = pools('10.0.0.0/27')
  const drawn = draw(addresses, 30)
  assert.equal(new Set(drawn).size, 30)
  const last = (address: string): number => Number(address.split('.')[3])
  assert.ok(drawn.slice(0, 14).every((address) => last(address) > 16))
  assert.throws(() => addresses.take('IPv4', ''), AllocationError)
  addresses.release('10.0.0.9')
  assert.equal(addresses.take('IPv4', ''), '10.0.0.9')
})

test('an address is taken once, and only from a range; its first and last address are in none', () => {
  const addresses = pools('10.0.0.0/24')
  addresses.restore('10.0.0.7')
  assert.throws(() => addresses.take('IPv4', '10.0.0.7'), /already allocated/)
  for (const foreign of ['10.0.1.1', '10.0.0.0', '10.0.0.255'])
    assert.throws(() => addresses.check(foreign), /^Error: the provided network does not match the current range$/)
  addresses.check('10.0.0.8')
  assert.equal(addresses.take('IPv4', '10.0.0.8'), '10.0.0.8')
})

test('further ranges give addresses while they are ready and stay, and overlapping ones give none twice', () => {
  const addresses = pools('10.0.0.0/30')
  assert.equal(new Set(draw(addresses, 2)).size, 2)
  assert.throws(() => addresses.take('IPv4', ''), /range is full/)
  const first = serviceCidr('kubernetes', '10.0.0.0/30', { ready: 'True' })
  addresses.follow([first, serviceCidr('more', '10.0.0.0/29,fd00::/112')])
  assert.equal(new Set(draw(addresses, 4)).size, 4)
  assert.throws(() => addresses.take('IPv4', ''), /range is full/)
  assert.deepEqual(
    addresses.usage().map(({ cidr, taken }) => [cidr, taken]),
    [
      ['10.0.0.0/30', 2],
      ['10.0.0.0/29', 6],
      ['fd00::/112', 0],
    ],
  )
  addresses.follow([first, serviceCidr('more', '10.0.0.0/29', { deleted: true })])
  addresses.release('10.0.0.6')
  assert.throws(() => addresses.take('IPv4', '10.0.0.6'), /does not match the current range/)
  addresses.follow([first, serviceCidr('more', '10.0.0.0/29', { ready: 'False' })])
  assert.throws(() => addresses.take('IPv4', '10.0.0.6'), /does not match the current range/)
  addresses.follow([first, serviceCidr('other', '10.0.0.0/29')])
  assert.equal(addresses.take('IPv4', ''), '10.0.0.6')
  addresses.follow([])
  assert.throws(() => addresses.take('IPv4', ''), /range is full/)
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
