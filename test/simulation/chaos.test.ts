/** Clusters in trouble, by seed: `SIMULATION_SEEDS=100` runs more of them, `SIMULATION_SEED=17` one again. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { firstDifference } from '#simulator/write-log.ts'
import { runChaos } from './chaos.ts'

const SEEDS_DEFAULT = 3

function seeds(): number[] {
  const one = process.env['SIMULATION_SEED']
  if (one !== undefined) return [Number(one)]
  const count = Number(process.env['SIMULATION_SEEDS'] ?? SEEDS_DEFAULT)
  return Array.from({ length: count }, (_, index) => index + 1)
}

for (const seed of seeds())
  test(`seed ${seed}: whatever happens, the invariants hold and the cluster comes to rest`, async () => {
    await runChaos(seed)
  })

test('the same seed gives the same writes to the last byte, another seed others', async () => {
  const [first, second, other] = [await runChaos(1), await runChaos(1), await runChaos(2)]
  assert.equal(firstDifference(first.writes, second.writes), null)
  assert.equal(first.hash, second.hash)
  assert.notEqual(first.hash, other.hash)
})
