/** Quantities against values that Kubernetes computed. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assert as check, bigInt, constantFrom, nat, property } from 'fast-check'
import {
  addQuantities,
  compareQuantities,
  formatQuantity,
  parseQuantity,
  quantityMilliValue,
  quantityToNumber,
  subtractQuantities,
} from './quantity.ts'

/** Text, canonical text, Value(), MilliValue() as Kubernetes 1.37 computes them. */
const TABLE: readonly (readonly [string, string, number, number])[] = [
  ['0', '0', 0, 0],
  ['+5', '+5', 5, 5000],
  ['010', '010', 10, 10_000],
  ['1.500', '1.500', 2, 1500],
  ['0.5', '500m', 1, 500],
  ['1000m', '1', 1, 1000],
  ['1024Mi', '1Gi', 1_073_741_824, 1_073_741_824_000],
  ['1.5Gi', '1536Mi', 1_610_612_736, 1_610_612_736_000],
  ['0.1Ki', '102400m', 103, 102_400],
  ['12e5', '1200e3', 1_200_000, 1_200_000_000],
  ['12e6', '12e6', 12_000_000, 12_000_000_000],
  ['1e3', '1e3', 1000, 1_000_000],
  ['0.5n', '1n', 1, 1],
  ['1025Ki', '1025Ki', 1_049_600, 1_049_600_000],
  ['1048576Ki', '1Gi', 1_073_741_824, 1_073_741_824_000],
  ['-1.5Gi', '-1536Mi', -1_610_612_736, -1_610_612_736_000],
  ['1000k', '1M', 1_000_000, 1_000_000_000],
  ['m', '0', 0, 0],
  ['1.0', '1', 1, 1000],
  ['0e3', '0', 0, 0],
]

test('a quantity has the canonical form and the whole values that Kubernetes gives it', () => {
  for (const [text, canonical, value, milliValue] of TABLE) {
    assert.equal(formatQuantity(text), canonical, text)
    assert.equal(quantityToNumber(text), value, text)
    assert.equal(quantityMilliValue(text), milliValue, text)
  }
})

test('text that is no quantity is refused in the words of Kubernetes', () => {
  const form = /must match the regular expression/
  for (const text of ['', '1..2', 'abc', '1 ', '1e3.5', '1e--3', '1Zi', '1KI'])
    assert.throws(() => parseQuantity(text), form, text)
  for (const text of ['1kk', '1ki', '1e', '1i', '1En'])
    assert.throws(() => parseQuantity(text), { message: "unable to parse quantity's suffix" }, text)
})

test('a sum keeps the form of its first summand unless that is nought', () => {
  assert.equal(formatQuantity(addQuantities('1Gi', '1')), '1073741825')
  assert.equal(formatQuantity(addQuantities('0', '1Gi')), '1Gi')
  assert.equal(formatQuantity(addQuantities('512Mi', '512Mi')), '1Gi')
  assert.equal(formatQuantity(subtractQuantities('1', '250m')), '750m')
  assert.equal(compareQuantities('1Gi', '1024Mi'), 0)
  assert.equal(compareQuantities('1G', '1Gi'), -1)
})

test('the canonical form means the same amount and is stable', () => {
  const suffix = constantFrom('', 'm', 'k', 'M', 'G', 'Ki', 'Mi', 'Gi', 'n', 'u', 'e3', 'e-2')
  check(
    property(bigInt({ min: -(10n ** 12n), max: 10n ** 12n }), nat(999), suffix, (whole, fraction, unit) => {
      const text = `${whole}.${fraction}${unit}`
      const canonical = formatQuantity(text)
      assert.equal(compareQuantities(text, canonical), 0)
      assert.equal(formatQuantity(canonical), canonical)
    }),
  )
})
