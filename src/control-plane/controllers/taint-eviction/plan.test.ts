/** How long pods stay on tainted nodes. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { planStay } from './plan.ts'

const a = { key: 'a', effect: 'NoExecute' }
const b = { key: 'b', value: 'x', effect: 'NoExecute' }

test('without taints a pod stays, without toleration it goes', () => {
  assert.equal(planStay([], []), null)
  assert.equal(planStay([a], []), 0)
  assert.equal(planStay([a, b], [{ key: 'a', operator: 'Exists' }]), 0)
})

test('the shortest toleration that is used counts', () => {
  const tolerations = [
    { key: 'a', operator: 'Exists', tolerationSeconds: 300 },
    { key: 'b', value: 'x', tolerationSeconds: 5, effect: 'NoExecute' },
  ]
  assert.equal(planStay([a, b], tolerations), 5000)
  assert.equal(planStay([a], tolerations), 300_000)
  assert.equal(planStay([a], [{ key: 'a', operator: 'Exists', tolerationSeconds: -1 }]), 0)
})

test('a toleration without time, or of everything, lasts', () => {
  assert.equal(planStay([a, b], [{ operator: 'Exists' }]), null)
  assert.equal(planStay([a], [{ operator: 'Exists', effect: 'NoSchedule' }]), 0)
})
