/** The window of limits that components may still go by. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { RecentMax } from './recent-max.ts'

test('a lowered limit counts from the end of the window on', () => {
  const limit = new RecentMax(1000)
  limit.set(5, 0)
  limit.set(3, 10_000)
  assert.equal(limit.max(11_000), 5)
  assert.equal(limit.max(11_001), 3)
  limit.set(7, 11_001)
  assert.equal(limit.max(11_001), 7)
})
