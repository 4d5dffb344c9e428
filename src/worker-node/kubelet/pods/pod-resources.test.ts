/** What a pod as a whole has. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aContainer, aPod } from '../testing/builders.ts'
import { podResourcesOf } from './pod-resources.ts'
import { EMPTY_STATE } from './pod-state.ts'

const one = aContainer('one', { resources: { requests: { cpu: '100m', memory: '64Mi' }, limits: { cpu: '200m' } } })
const two = aContainer('two', { resources: { requests: { cpu: '50m', 'ephemeral-storage': '1Gi' } } })

test('a pod that does not run yet has the sums of its containers', () => {
  assert.deepEqual(podResourcesOf(aPod({ containers: [one, two] }), EMPTY_STATE, 'Pending'), {
    allocatedResources: { cpu: '150m', memory: '64Mi', 'ephemeral-storage': '1Gi' },
    resources: {
      requests: { cpu: '150m', memory: '64Mi', 'ephemeral-storage': '1Gi' },
      limits: { cpu: '200m' },
    },
  })
})

test('one that runs has what its group has: no limit while one of its containers has none', () => {
  assert.deepEqual(podResourcesOf(aPod({ containers: [one, two] }), EMPTY_STATE, 'Running').resources, {
    requests: { cpu: '150m', memory: '64Mi' },
  })
  const resources = { requests: { cpu: '300m' }, limits: { cpu: '1' } }
  const overhead = { cpu: '10m', memory: '1Mi' }
  assert.deepEqual(podResourcesOf(aPod({ containers: [one, two], resources, overhead }), EMPTY_STATE, 'Running'), {
    allocatedResources: { cpu: '310m', memory: '65Mi', 'ephemeral-storage': '1Gi' },
    resources: { requests: { cpu: '310m', memory: '65Mi' }, limits: { cpu: '1010m' } },
  })
})

test('a pod that asks for nothing has nothing', () => {
  assert.deepEqual(podResourcesOf(aPod(), EMPTY_STATE, 'Running'), { resources: {} })
})
