/** Which pods keep a claim. */
import assert from 'node:assert/strict'
import test from 'node:test'
import type { PersistentVolumeClaim, Pod } from '#api/core/v1.gen.ts'
import { keepsClaim, planUnused, refersTo } from './plan.ts'

const claim = (parts: object = {}): PersistentVolumeClaim =>
  ({ metadata: { name: 'p-v', namespace: 'n' }, spec: {}, ...parts }) as unknown as PersistentVolumeClaim
const OWNED = claim({ metadata: { name: 'p-v', ownerReferences: [{ uid: 'pod-uid', controller: true }] } })
const VOLUME = { name: 'v', persistentVolumeClaim: { claimName: 'p-v' } }
const EPHEMERAL = { name: 'v', ephemeral: {} }
const DELETED = { deletionTimestamp: 'x', deletionGracePeriodSeconds: 0 }

function pod(
  volume: object,
  {
    nodeName = 'node',
    metadata = {},
    phase = 'Running',
  }: { nodeName?: string | undefined; metadata?: object; phase?: string } = {},
): Pod {
  const spec = { volumes: [volume], ...(nodeName === '' ? {} : { nodeName }) }
  return { metadata: { name: 'p', uid: 'pod-uid', ...metadata }, spec, status: { phase } } as unknown as Pod
}

test('pods that have a node keep their claims, also when they have ended', () => {
  assert.equal(keepsClaim(pod(VOLUME), claim()), true)
  assert.equal(keepsClaim(pod(VOLUME, { phase: 'Succeeded' }), claim()), true)
  assert.equal(keepsClaim(pod(VOLUME, { nodeName: '' }), claim()), false)
  assert.equal(keepsClaim(pod({ name: 'v', emptyDir: {} }), claim()), false)
})

test('the claim of an ephemeral volume is kept by its own pod, while that is not shut down', () => {
  assert.equal(keepsClaim(pod(EPHEMERAL), OWNED), true)
  assert.equal(keepsClaim(pod(EPHEMERAL), claim()), false)
  assert.equal(keepsClaim(pod(EPHEMERAL, { metadata: DELETED }), OWNED), false)
  assert.equal(keepsClaim(pod(VOLUME, { metadata: DELETED }), OWNED), true)
})

test('used is what a pod that has not ended refers to', () => {
  assert.equal(refersTo(pod(VOLUME, { nodeName: '' }), claim()), true)
  assert.equal(refersTo(pod(VOLUME, { phase: 'Failed' }), claim()), false)
  assert.equal(planUnused(claim(), true, 'now')?.[0]?.status, 'False')
  const conditions = planUnused(claim(), false, 'now')!
  assert.deepEqual(conditions, [
    {
      type: 'Unused',
      status: 'True',
      lastTransitionTime: 'now',
      reason: 'NoPodsUsingPVC',
      message: 'No pods are currently referencing this PVC',
    },
  ])
  assert.equal(planUnused(claim({ status: { conditions } }), false, 'later'), null)
  assert.equal(planUnused(claim({ status: { conditions } }), true, 'later')?.[0]?.reason, 'PodUsingPVC')
})
