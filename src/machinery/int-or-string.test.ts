/** Numbers and shares of a total. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { intValue, percentageOf, percentOf } from './int-or-string.ts'

test('a percentage is a share of the total, a number stands for itself', () => {
  assert.equal(percentOf('25%', 10, 'up'), 3)
  assert.equal(percentOf('25%', 10, 'down'), 2)
  assert.equal(percentOf('100%', 7, 'down'), 7)
  assert.equal(percentOf(4, 10, 'up'), 4)
  assert.equal(percentOf('http', 10, 'up'), null)
  assert.equal(percentOf('%', 10, 'up'), null)
})

test('percentageOf and intValue read only their own form', () => {
  assert.equal(percentageOf('30%'), 30)
  assert.equal(percentageOf(30), null)
  assert.equal(percentageOf('-1%'), null)
  assert.equal(intValue('80'), 80)
  assert.equal(intValue('http'), 0)
})
