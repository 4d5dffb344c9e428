/** Parts that fail at their start fail their checks, and nothing else. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HealthChecks } from './health-checks.ts'
import { addServerChecks, type CheckedParts } from './server-checks.ts'

test('a backend that cannot start leaves the process alone and tells why it is not ready', async () => {
  const health = new HealthChecks()
  addServerChecks(health, {
    store: { currentRevision: async () => 1 },
    feeds: { synced: () => Promise.reject(new Error('no feeds')) },
    backend: { ready: () => Promise.reject(new Error('store is damaged')) },
    isDraining: () => false,
    priorityAndFairness: true,
  } as unknown as CheckedParts)
  // An unhandled rejection would end the test's process.
  await new Promise((resolve) => setImmediate(resolve))
  const answer = await health.answer('readyz', 'poststarthook/storage-readiness', { query: new URLSearchParams() })
  assert.ok(answer?.body.form === 'raw')
  assert.deepEqual([answer.code, answer.body.content], [500, 'internal server error: store is damaged\n'])
})
