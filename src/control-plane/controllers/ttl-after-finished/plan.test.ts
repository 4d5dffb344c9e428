/** Tests of when an ended Job expires. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Job } from '#api/batch/v1.gen.ts'
import { expiryMs } from './plan.ts'

const job = (type: string, deletionTimestamp?: string): Job => ({
  metadata: {
    name: 'a',
    uid: 'u',
    resourceVersion: '1',
    creationTimestamp: '',
    ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
  },
  spec: { template: {}, ttlSecondsAfterFinished: 5 },
  status: { conditions: [{ type, status: 'True', lastTransitionTime: '1970-01-01T00:00:10Z' }] },
})

test('a Job expires its time to live after it ended', () => {
  assert.equal(expiryMs(job('Complete')), 15_000)
  assert.equal(expiryMs(job('Failed')), 15_000)
})

test('a Job that runs or is being deleted does not expire', () => {
  assert.equal(expiryMs(job('SuccessCriteriaMet')), null)
  assert.equal(expiryMs(job('Complete', '1970-01-01T00:00:11Z')), null)
})
