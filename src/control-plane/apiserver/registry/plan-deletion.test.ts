/** What a deletion does to objects with and without finalizers, grace and dependents. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { configMapKind } from '#api/core/config-map/kind.ts'
import { podKind } from '#api/core/pod/kind.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import { planDeletion } from './plan-deletion.ts'

const NOW = Date.parse('2030-01-01T00:00:00Z')
const objectOf = (metadata: object = {}, more: object = {}): KubernetesObject =>
  ({ metadata: { name: 'a', namespace: 'n', uid: 'u', ...metadata }, ...more }) as unknown as KubernetesObject
const running = { spec: { nodeName: 'node', terminationGracePeriodSeconds: 30 } }

test('an object without finalizers goes at once', () => {
  assert.deepEqual(planDeletion(configMapKind, objectOf(), {}, NOW), { outcome: 'remove' })
})

test('finalizers, and the wish that dependents go first, keep it with a mark', () => {
  const kept = planDeletion(configMapKind, objectOf({ finalizers: ['example.com/f'] }), {}, NOW)
  assert.partialDeepStrictEqual(kept, {
    outcome: 'mark',
    vanishes: false,
    object: { metadata: { deletionTimestamp: '2030-01-01T00:00:00Z', finalizers: ['example.com/f'] } },
  })
  const foreground = planDeletion(configMapKind, objectOf(), { propagationPolicy: 'Foreground' }, NOW)
  assert.partialDeepStrictEqual(foreground, { object: { metadata: { finalizers: ['foregroundDeletion'] } } })
})

test('a running pod gets its grace period, which later deletions only shorten', () => {
  const first = planDeletion(podKind, objectOf({ generation: 1 }, running), {}, NOW)
  assert.ok(first.outcome === 'mark' && !first.vanishes)
  assert.partialDeepStrictEqual(first.object.metadata, {
    deletionTimestamp: '2030-01-01T00:00:30Z',
    deletionGracePeriodSeconds: 30,
    generation: 2,
  })
  assert.equal(planDeletion(podKind, first.object, { gracePeriodSeconds: 60 }, NOW).outcome, 'wait')
  const shorter = planDeletion(podKind, first.object, { gracePeriodSeconds: 5 }, NOW)
  assert.partialDeepStrictEqual(shorter, {
    object: { metadata: { deletionTimestamp: '2030-01-01T00:00:05Z', deletionGracePeriodSeconds: 5 } },
  })
})

test('the end of a grace period is written before the pod goes', () => {
  const marked = planDeletion(podKind, objectOf({}, running), {}, NOW)
  assert.ok(marked.outcome === 'mark')
  const last = planDeletion(podKind, marked.object, { gracePeriodSeconds: 0 }, NOW)
  assert.partialDeepStrictEqual(last, {
    outcome: 'mark',
    vanishes: true,
    object: { metadata: { deletionGracePeriodSeconds: 0 } },
  })
})
