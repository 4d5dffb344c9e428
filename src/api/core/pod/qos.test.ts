/** Classes of quality of service. */
import assert from 'node:assert'
import { test } from 'node:test'
import type { PodSpec, ResourceRequirements } from '#api/core/v1.gen.ts'
import { computeQosClass } from './qos.ts'

function specOf(...resources: ResourceRequirements[]): PodSpec {
  return { containers: resources.map((own, i) => ({ name: `c${i}`, resources: own })) } as PodSpec
}

const full = { cpu: '1', memory: '1Gi' }
const guaranteed = { requests: { cpu: '1000m', memory: '1Gi' }, limits: full }

test('nothing asked for is BestEffort', () => {
  assert.equal(computeQosClass(specOf({}, {})), 'BestEffort')
  assert.equal(computeQosClass(specOf({ requests: { cpu: '0' } })), 'BestEffort')
  assert.equal(computeQosClass(specOf({ requests: { 'example.com/gpu': '1' } })), 'BestEffort')
})

test('requests that equal limits, in every container, are Guaranteed', () => {
  assert.equal(computeQosClass(specOf(guaranteed, guaranteed)), 'Guaranteed')
})

test('anything between is Burstable', () => {
  assert.equal(computeQosClass(specOf({ requests: full })), 'Burstable')
  assert.equal(computeQosClass(specOf({ requests: { cpu: '1' }, limits: { cpu: '1' } })), 'Burstable')
  assert.equal(computeQosClass(specOf(guaranteed, {})), 'Burstable')
  assert.equal(computeQosClass(specOf({}, guaranteed)), 'Burstable')
})

test('init containers count; resources of the pod go first', () => {
  const withInit = { ...specOf(guaranteed), initContainers: [{ name: 'i', resources: {} }] } as PodSpec
  assert.equal(computeQosClass(withInit), 'Burstable')
  assert.equal(computeQosClass({ ...specOf({}), resources: guaranteed } as PodSpec), 'Guaranteed')
})
