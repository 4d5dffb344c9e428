/** Tests of how many disruptions a budget allows. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pod } from '#api/core/v1.gen.ts'
import type { PodDisruptionBudget, PodDisruptionBudgetSpec } from '#api/policy/v1.gen.ts'
import { planBudget, staleDisruptionMs } from './plan.ts'

const meta = (name: string) => ({
  name,
  namespace: 'default',
  uid: name,
  resourceVersion: '1',
  creationTimestamp: '',
  generation: 1,
})
const budget = (spec: PodDisruptionBudgetSpec, disruptedPods?: Record<string, string>): PodDisruptionBudget => ({
  metadata: meta('budget'),
  spec,
  ...(disruptedPods === undefined ? {} : { status: { disruptedPods } }),
})
const pod = (name: string, ready = true): Pod => ({
  metadata: meta(name),
  spec: { containers: [] },
  status: { conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
})
const pods = [pod('a'), pod('b'), pod('c', false)]
const allowed = (spec: PodDisruptionBudgetSpec): number | undefined =>
  planBudget(budget(spec), pods, 3, 0).status.disruptionsAllowed

test('minAvailable counts pods, shares count what the controllers want, rounded up', () => {
  assert.equal(allowed({ minAvailable: 1 }), 1)
  assert.equal(allowed({ minAvailable: '50%' }), 0)
  assert.equal(allowed({ maxUnavailable: 2 }), 1)
  assert.equal(allowed({ maxUnavailable: '34%' }), 1)
  assert.equal(allowed({ maxUnavailable: 1 }), 0)
})

test('without pods nothing is allowed', () => {
  assert.equal(planBudget(budget({ minAvailable: 0 }), [], 0, 0).status.disruptionsAllowed, 0)
})

test('a pod whose eviction was granted is not healthy for two minutes', () => {
  const granted = budget({ minAvailable: 1 }, { a: '1970-01-01T00:00:00Z' })
  const early = planBudget(granted, pods, 0, 60_000)
  assert.deepEqual([early.status.currentHealthy, early.recheckMs], [1, 60_000])
  const late = planBudget(granted, pods, 0, 120_000)
  assert.deepEqual(
    [late.status.currentHealthy, late.status.disruptedPods, late.notDeleted[0]?.metadata.name],
    [2, undefined, 'a'],
  )
})

test('a mark for disruption is stale after two minutes, unless it is of the kubelet', () => {
  const marked = (reason: string): Pod => ({
    ...pod('a'),
    status: {
      conditions: [{ type: 'DisruptionTarget', status: 'True', reason, lastTransitionTime: '1970-01-01T00:00:00Z' }],
    },
  })
  assert.equal(staleDisruptionMs(marked('EvictionByEvictionAPI'), 20_000), 100_000)
  assert.equal(staleDisruptionMs(marked('TerminationByKubelet'), 20_000), null)
})
