/** What the repair of Services finds, and what it leaves alone. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Service } from '#api/core/v1.gen.ts'
import type { IPAddress } from '#api/networking/v1.gen.ts'
import { planAddressRepair } from './plan-address-repair.ts'
import { portProblems } from './plan-port-repair.ts'
import { recordOf } from './service-addresses.ts'

const NOW = Date.parse('2026-01-01T01:00:00Z')
const service = (name: string, clusterIPs: string[], spec: object = {}): Service =>
  ({ metadata: { namespace: 'n', name }, spec: { clusterIPs, ...spec } }) as never

function address(ip: string, owner: string, ageMs = 600_000, labels: object = {}): IPAddress {
  const record = recordOf(ip, { metadata: { namespace: 'n', name: owner } } as Service) as IPAddress
  const creationTimestamp = new Date(NOW - ageMs).toISOString()
  return {
    ...record,
    metadata: { ...record.metadata, creationTimestamp, labels: { ...record.metadata.labels, ...labels } },
  }
}

const plan = (services: Service[], addresses: IPAddress[]) =>
  planAddressRepair({ services, addresses, isInRange: (ip) => ip.startsWith('10.'), nowMs: NOW }).map(
    ({ reason, message, mend }) => [reason, message, mend],
  )

test('what belongs together is left alone', () => {
  const headless = service('h', ['None'])
  const external = service('e', [], { type: 'ExternalName' })
  assert.deepEqual(plan([service('a', ['10.0.0.1']), headless, external], [address('10.0.0.1', 'a')]), [])
})

test('a Service gets the record of its address back', () => {
  const other = [service('b', ['10.0.0.2']), address('10.0.0.2', 'b')] as const
  assert.deepEqual(plan([service('a', ['10.0.0.1']), other[0]], [other[1]]), [
    [
      'ClusterIPNotAllocated',
      'Cluster IP [IPv4]: 10.0.0.1 is not allocated; repairing',
      { create: '10.0.0.1', replaces: false },
    ],
  ])
  const [wrong] = plan([service('a', ['10.0.0.1'])], [address('10.0.0.1', 'gone', 0)])
  assert.deepEqual(wrong, [
    'ClusterIPNotAllocated',
    'the ClusterIP [IPv4]: 10.0.0.1 for Service n/a has a wrong reference; repairing',
    { create: '10.0.0.1', replaces: true },
  ])
  const label = { 'ipaddress.kubernetes.io/ip-family': 'IPv6' }
  assert.deepEqual(plan([service('a', ['10.0.0.1'])], [address('10.0.0.1', 'a', 0, label)]), [
    ['', '', { create: '10.0.0.1', replaces: true }],
  ])
})

test('what an earlier version stored gets its records without a word', () => {
  assert.deepEqual(plan([service('a', ['10.0.0.1']), service('b', ['10.0.0.2'])], []), [
    ['', '', { create: '10.0.0.1', replaces: false }],
    ['', '', { create: '10.0.0.2', replaces: false }],
  ])
})

test('an address that two Services have, and one outside all ranges, is for their users to mend', () => {
  const both = [service('a', ['10.0.0.1']), service('b', ['10.0.0.1'])]
  assert.deepEqual(plan(both, [address('10.0.0.1', 'a')]), [
    [
      'ClusterIPAlreadyAllocated',
      'Cluster IP [IPv4]:10.0.0.1 was assigned to multiple services; please recreate service',
      null,
    ],
  ])
  assert.deepEqual(plan([service('a', ['192.0.2.1'])], []), [
    [
      'ClusterIPOutOfRange',
      'Cluster IP [IPv4]: 192.0.2.1 is not within any configured Service CIDR; please recreate service',
      null,
    ],
  ])
})

test('a leaked address goes after a minute', () => {
  assert.deepEqual(plan([], [address('10.0.0.1', 'a', 59_000)]), [])
  assert.deepEqual(plan([], [address('10.0.0.1', 'a', 61_000)]), [
    [
      'IPAddressNotAllocated',
      'IPAddress: 10.0.0.1 for Service n/a appears to have leaked: cleaning up',
      { remove: '10.0.0.1' },
    ],
  ])
  const [wrong] = plan([service('a', [])], [address('10.0.0.1', 'a')])
  assert.deepEqual(wrong, [
    'IPAddressWrongReference',
    'IPAddress: 10.0.0.1 for Service n/a has a wrong reference; cleaning up',
    { remove: '10.0.0.1' },
  ])
  const foreign = address('10.0.0.1', 'a', 600_000, { 'ipaddress.kubernetes.io/managed-by': 'me' })
  assert.deepEqual(plan([], [foreign]), [])
})

test('node ports that two Services have, or that are out of the range', () => {
  const ports = (name: string, ...list: object[]): Service => service(name, [], { ports: list })
  const shared = ports('a', { nodePort: 30_000, protocol: 'TCP' }, { nodePort: 30_000, protocol: 'UDP' })
  const problems = portProblems([shared, ports('b', { nodePort: 30_000 }), ports('c', { nodePort: 1 })], {
    from: 30_000,
    to: 32_767,
  })
  assert.deepEqual(
    problems.map(({ about, reason, message }) => [about.metadata.name, reason, message]),
    [
      ['b', 'PortAlreadyAllocated', 'Port 30000 was assigned to multiple services; please recreate service'],
      ['c', 'PortOutOfRange', 'Port 1 is not within the port range 30000-32767; please recreate service'],
    ],
  )
})
