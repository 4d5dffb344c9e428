/** How the cluster's pod range is cut. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { CidrSet } from './plan.ts'

test('ranges that nodes have are left out, ranges given back come again when the others are used up', () => {
  const cidrs = new CidrSet('10.244.0.0/22', 24)
  assert.equal(cidrs.occupy('10.244.1.0/24'), true)
  assert.equal(cidrs.occupy('10.9.0.0/24'), false)
  const given = [cidrs.allocate(), cidrs.allocate(), cidrs.allocate()]
  assert.deepEqual(given, ['10.244.0.0/24', '10.244.2.0/24', '10.244.3.0/24'])
  assert.equal(cidrs.allocate(), null)
  cidrs.release('10.244.1.0/24')
  assert.equal(cidrs.allocate(), '10.244.1.0/24')
})

test('a node range larger than the cluster range is refused', () => {
  assert.throws(() => new CidrSet('10.244.0.0/25', 24), /does not fit/)
})
