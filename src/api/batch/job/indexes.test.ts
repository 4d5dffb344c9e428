/** Lists of completed or failed indexes. */
import assert from 'node:assert'
import { test } from 'node:test'
import { countIndexes, findOverlap, parseIndexes } from './indexes.ts'

test('ranges and single indexes', () => {
  const ranges = parseIndexes('0,2-4,7', 8)
  assert.deepEqual(ranges, [
    { first: 0, last: 0 },
    { first: 2, last: 4 },
    { first: 7, last: 7 },
  ])
  assert.equal(countIndexes(ranges), 5)
  assert.deepEqual(parseIndexes('', 8), [])
})

test('what is wrong with a list', () => {
  const bad: [string, RegExp][] = [
    ['8', /^too large index: "8"$/],
    ['3,2', /^non-increasing order, previous: 3, current: 2$/],
    ['4-4', /^non-increasing order, previous: 4, current: 4$/],
    ['a', /^cannot convert string to integer for index: "a"$/],
    ['1-2-3', /^the fragment "1-2-3" violates the requirement/],
  ]
  for (const [text, message] of bad) assert.throws(() => parseIndexes(text, 8), { message })
})

test('the first index of two lists', () => {
  assert.equal(findOverlap(parseIndexes('0-3', 8), parseIndexes('2-5', 8)), 2)
  assert.equal(findOverlap(parseIndexes('0,4', 8), parseIndexes('1-3', 8)), null)
})
