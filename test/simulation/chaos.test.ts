/** Clusters in trouble, by seed: `SIMULATION_SEEDS=100` runs more of them, `SIMULATION_SEED=17` one again. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import test from 'node:test'
import { Worker } from 'node:worker_threads'
import { firstDifference } from '#simulator/write-log.ts'
import type { Outcome } from './chaos.ts'

const SEEDS_DEFAULT = 2

function seeds(): number[] {
  const one = process.env['SIMULATION_SEED']
  if (one !== undefined) return [Number(one)]
  const count = Number(process.env['SIMULATION_SEEDS'] ?? SEEDS_DEFAULT)
  return Array.from({ length: count }, (_, index) => index + 1)
}

async function runSeed(seed: number): Promise<Outcome> {
  const worker = new Worker(new URL('./chaos-worker.ts', import.meta.url), { workerData: seed })
  // Rejects with the worker's error when an invariant broke.
  const [outcome] = await once(worker, 'message')
  return outcome as Outcome
}

const outcomes: Outcome[] = []
for (const seed of seeds())
  test(`seed ${seed}: whatever happens, the invariants hold and the cluster comes to rest`, async () => {
    outcomes.push(await runSeed(seed))
  })

test('the same seed gives the same writes to the last byte, another seed others', async () => {
  const [first, other] = outcomes
  assert.ok(first !== undefined, 'the first seed failed')
  const again = await runSeed(seeds()[0]!)
  assert.equal(firstDifference(first.writes, again.writes), null)
  assert.equal(first.hash, again.hash)
  if (other !== undefined) assert.notEqual(first.hash, other.hash)
})
