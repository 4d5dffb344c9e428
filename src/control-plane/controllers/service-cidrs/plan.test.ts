/** Which ServiceCIDRs can go while Services have addresses. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { IPAddress, ServiceCIDR } from '#api/networking/v1.gen.ts'
import { canDelete, containingAddress, overlapping } from './plan.ts'

const range = (name: string, ...cidrs: string[]): ServiceCIDR =>
  ({ metadata: { name }, spec: { cidrs } }) as unknown as ServiceCIDR
const address = (name: string, managedBy = 'ipallocator.k8s.io'): IPAddress =>
  ({ metadata: { name, labels: { 'ipaddress.kubernetes.io/managed-by': managedBy } } }) as unknown as IPAddress

test('a range stays while it is the only one that has an address of a Service', () => {
  const small = range('small', '10.0.0.0/24')
  assert.equal(canDelete(small, [small], []), true)
  assert.equal(canDelete(small, [small], [address('10.0.0.7')]), false)
  assert.equal(canDelete(small, [small], [address('10.0.0.7', 'somebody')]), true)
  assert.equal(canDelete(small, [small], [address('10.0.1.7'), address('10.0.0.0'), address('10.0.0.255')]), true)
  assert.equal(canDelete(small, [small, range('other', '10.0.0.0/28')], [address('10.0.0.7')]), true)
  assert.equal(canDelete(small, [small, range('other', '10.0.0.0/28')], [address('10.0.0.77')]), false)
})

test('a range within another one goes at once, if all families are', () => {
  const dual = range('dual', '10.0.0.0/24', 'fd00::/112')
  const taken = [address('10.0.0.7'), address('fd00::7')]
  assert.equal(canDelete(dual, [dual, range('wide', '10.0.0.0/16')], taken), false)
  assert.equal(canDelete(dual, [dual, range('wide', '10.0.0.0/16'), range('same', 'fd00::/112')], taken), true)
})

test('addresses and ranges are found by what contains them', () => {
  const all = [range('wide', '10.0.0.0/16'), range('narrow', '10.0.3.0/24'), range('six', 'fd00::/112')]
  const names = (found: ServiceCIDR[]): string[] => found.map(({ metadata }) => metadata.name)
  assert.deepEqual(names(containingAddress('10.0.3.1', all)), ['wide', 'narrow'])
  assert.deepEqual(names(containingAddress('10.0.3.0', all)), ['wide'])
  assert.deepEqual(names(containingAddress('fd00::ffff', all)), ['six'])
  assert.deepEqual(names(overlapping(range('new', '10.0.0.0/8'), all)), ['wide', 'narrow'])
})
