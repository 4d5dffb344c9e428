/** Texts of cells: ages as kubectl rounds them, selectors, long lists. */
import assert from 'node:assert'
import { test } from 'node:test'
import { formatAge, formatDuration, formatLabels, formatShortList, labelSelectorText } from './table-cells.ts'

test('durations keep two or three figures', () => {
  const second = 1000
  const minute = 60 * second
  const hour = 60 * minute
  const day = 24 * hour
  const cases: [number, string][] = [
    [-5 * second, '<invalid>'],
    [-second, '0s'],
    [0, '0s'],
    [119 * second, '119s'],
    [2 * minute, '2m'],
    [9 * minute + 59 * second, '9m59s'],
    [10 * minute + 59 * second, '10m'],
    [179 * minute, '179m'],
    [3 * hour, '3h'],
    [7 * hour + 59 * minute, '7h59m'],
    [47 * hour, '47h'],
    [2 * day, '2d'],
    [7 * day + 23 * hour, '7d23h'],
    [729 * day, '729d'],
    [730 * day, '2y'],
    [731 * day, '2y1d'],
    [8 * 365 * day + day, '8y'],
  ]
  for (const [ms, text] of cases) assert.equal(formatDuration(ms), text)
})

test('an age without a time is unknown', () => {
  assert.equal(formatAge(undefined, 0), '<unknown>')
  assert.equal(formatAge(null, 0), '<unknown>')
  assert.equal(formatAge('2026-01-02T03:04:05Z', Date.parse('2026-01-02T03:09:05Z')), '5m')
})

test('labels and selectors stand in the order of their keys', () => {
  assert.equal(formatLabels({ b: '2', a: '1' }), 'a=1,b=2')
  assert.equal(formatLabels({}), '<none>')
  const matchExpressions = [
    { key: 'tier', operator: 'In', values: ['b', 'a'] },
    { key: 'old', operator: 'DoesNotExist' },
    { key: 'any', operator: 'Exists' },
    { key: 'zone', operator: 'NotIn', values: ['c'] },
  ]
  const text = labelSelectorText({ matchLabels: { app: 'web' }, matchExpressions })
  assert.equal(text, 'any,app=web,!old,tier in (a,b),zone notin (c)')
})

test('long lists are cut', () => {
  assert.equal(formatShortList([], { max: 3, total: 0 }), '<unset>')
  assert.equal(formatShortList(['a', 'b', 'c'], { max: 2, total: 3 }), 'a,b + 1 more...')
})
