/** Which texts are durations, and how long they are. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { parseDuration } from './duration.ts'

test('durations', () => {
  const cases: readonly (readonly [string, number | null])[] = [
    ['0', 0],
    ['300ms', 300],
    ['5s', 5000],
    ['1h30m', 5_400_000],
    ['1.5s', 1500],
    ['.5m', 30_000],
    ['-2s', -2000],
    ['250us', 0.25],
    ['250\u00B5s', 0.25],
    ['250\u03BCs', 0.25],
    ['5', null],
    ['', null],
    ['s', null],
    ['5 s', null],
    ['5s3', null],
    ['1d', null],
  ]
  for (const [text, expected] of cases) assert.equal(parseDuration(text), expected, text)
})
