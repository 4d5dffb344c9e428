/** The injected randomness: the same seed must replay the same run. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SeededRandom, randomNameSuffix, randomUuid } from './random.ts'

test('the same seed gives the same names and uids', () => {
  const [a, b, other] = [new SeededRandom(7), new SeededRandom(7), new SeededRandom(8)]
  assert.equal(randomUuid(a), randomUuid(b))
  const name = randomNameSuffix(a)
  assert.equal(name, randomNameSuffix(b))
  assert.notEqual(name, randomNameSuffix(other))
  assert.match(randomUuid(a), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
})
