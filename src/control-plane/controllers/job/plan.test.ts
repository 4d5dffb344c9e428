/** Tests of the decisions about Jobs: pods to create, the end of a Job, exact counting. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Job, JobSpec, JobStatus } from '#api/batch/v1.gen.ts'
import type { Pod } from '#api/core/v1.gen.ts'
import { nextBackoff, NO_BACKOFF, remainingBackoffMs } from './backoff.ts'
import { planCounting, settle } from './counting.ts'
import { formatIndexes, readIndexes } from './indexes.ts'
import { planPods } from './manage.ts'
import { observeJob } from './plan.ts'
import { INDEX_KEY, TRACKING_FINALIZER } from './pod-facts.ts'

const meta = (name: string) => ({
  name,
  namespace: 'default',
  uid: `${name}-uid`,
  resourceVersion: '1',
  creationTimestamp: '2026-01-01T00:00:00Z',
})

const job = (spec: Partial<JobSpec> = {}, status: JobStatus = {}): Job => ({
  metadata: meta('job'),
  spec: { template: { spec: { containers: [] } }, parallelism: 2, completions: 3, backoffLimit: 6, ...spec },
  status,
})

const pod = (name: string, phase: string, index?: number): Pod => ({
  metadata: {
    ...meta(name),
    finalizers: [TRACKING_FINALIZER],
    ...(index === undefined ? {} : { annotations: { [INDEX_KEY]: String(index) } }),
  },
  spec: { containers: [] },
  status: { phase },
})

const observe = (of: Job, pods: readonly Pod[]) => observeJob({ job: of, pods, counted: new Set(), nowMs: 0 })
const pods = (of: Job, list: readonly Pod[], backoffMs = 0) =>
  planPods(of, list, observe(of, list), { backoffMs, nowMs: 0 })

test('a Job keeps as many pods as its parallelism allows, and no more than completions are missing', () => {
  assert.equal(pods(job(), []).create.length, 2)
  assert.equal(pods(job(), [pod('a', 'Succeeded'), pod('b', 'Succeeded')]).create.length, 1)
  assert.equal(pods(job({ parallelism: 1 }), [pod('a', 'Running'), pod('b', 'Pending')]).delete[0]!.metadata.name, 'b')
  assert.deepEqual(pods(job(), [], 5000), { create: [], delete: [], waitMs: 5000 })
})

test('an indexed Job creates the first indexes that have no pod and no result', () => {
  const indexed = job({ completionMode: 'Indexed', completions: 5 }, { completedIndexes: '0', succeeded: 1 })
  assert.deepEqual(pods(indexed, [pod('a', 'Running', 1)]).create, [2])
  assert.deepEqual(pods(indexed, [pod('a', 'Running', 1), pod('b', 'Running', 1)]).delete.length, 1)
})

test('too many failures end the Job', () => {
  const failing = job({ backoffLimit: 1 }, { failed: 1 })
  assert.equal(observe(failing, [pod('a', 'Failed')]).outcome?.reason, 'BackoffLimitExceeded')
  assert.equal(observe(failing, []).outcome, null)
})

test('a success policy ends an indexed Job early', () => {
  const indexed = job({
    completionMode: 'Indexed',
    successPolicy: { rules: [{ succeededIndexes: '1-2', succeededCount: 1 }] },
  })
  assert.equal(observe(indexed, [pod('a', 'Succeeded', 0)]).outcome, null)
  assert.equal(observe(indexed, [pod('a', 'Succeeded', 2)]).outcome?.message, 'Matched rules at index 0')
})

test('an ended pod is counted once: its uid first, the number when its finalizer is gone', () => {
  const [running, of, done] = [pod('b', 'Running'), job(), pod('a', 'Succeeded')]
  const list = [done, running]
  const facts = { job: of, pods: list, status: {}, state: observe(of, list), counted: new Set<string>(), outcome: null }
  const plan = planCounting(facts)
  assert.deepEqual(plan.release, [done])
  assert.deepEqual(plan.status.uncountedTerminatedPods, { succeeded: ['a-uid'], failed: [] })
  assert.equal(plan.status.succeeded, 0)
  const settled = settle(plan.status, new Set(['b-uid']))
  assert.deepEqual([settled.succeeded, settled.uncountedTerminatedPods], [1, { succeeded: [], failed: [] }])
  const again = planCounting({ ...facts, status: plan.status })
  assert.deepEqual(again.status.uncountedTerminatedPods, plan.status.uncountedTerminatedPods)
})

test('indexes are written as upstream writes them', () => {
  assert.equal(formatIndexes(new Set([5, 0, 1, 7, 8, 9])), '0,1,5,7-9')
  assert.deepEqual([...readIndexes('0,1,5,7-9', 8)], [0, 1, 5, 7])
})

test('failures in a row double the wait, a success ends it', () => {
  const failed = pod('a', 'Failed')
  const at = Date.parse(failed.metadata.creationTimestamp)
  const twice = nextBackoff(NO_BACKOFF, [], [failed, failed])
  assert.equal(remainingBackoffMs(twice, at), 20_000)
  assert.equal(remainingBackoffMs({ ...twice, failures: 50 }, at), 600_000)
  assert.deepEqual(nextBackoff(twice, [pod('b', 'Succeeded')], []), NO_BACKOFF)
})
