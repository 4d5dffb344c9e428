/** Semantic equality: what was left out and what is empty are the same. */
import assert from 'node:assert'
import { test } from 'node:test'
import { isSemanticallyEqual } from './semantic-equal.ts'

test('absent, null and empty lists are equal', () => {
  assert.ok(isSemanticallyEqual({ a: 1 }, { a: 1, list: [] }))
  assert.ok(isSemanticallyEqual({ a: null }, {}))
  assert.ok(isSemanticallyEqual([{ a: [] }], [{}]))
})

test('the order of fields does not matter, that of lists does', () => {
  assert.ok(isSemanticallyEqual({ a: 1, b: { c: 2, d: 3 } }, { b: { d: 3, c: 2 }, a: 1 }))
  assert.ok(!isSemanticallyEqual([1, 2], [2, 1]))
})

test('other values differ', () => {
  assert.ok(!isSemanticallyEqual({ a: '' }, {}))
  assert.ok(!isSemanticallyEqual({ a: 0 }, { a: false }))
  assert.ok(!isSemanticallyEqual({}, [1]))
  assert.ok(!isSemanticallyEqual([1], { 0: 1 }))
  assert.ok(!isSemanticallyEqual({ a: {} }, {}))
})
