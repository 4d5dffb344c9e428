/** What becomes of claims in each state that they and their volumes can be in. */
import assert from 'node:assert/strict'
import test from 'node:test'
import type { PersistentVolume, PersistentVolumeClaim } from '#api/core/v1.gen.ts'
import { planClaimStatus } from './claim-status.ts'
import { bindClaim, planClaim, type ClaimPlan, type ClaimView } from './plan-claim.ts'
import { askProvisioner, planProvision } from './provisioner.ts'
import { CLAIM_REF, claimOf, storageClassOf, volumeOf } from './testing.ts'

const NOBODY = { storageClass: undefined, defaultClass: null, waitingPods: [] }
type View = Partial<ClaimView> & { readonly volumes?: readonly PersistentVolume[] }
const WAITING = storageClassOf('example.com/disk', 'WaitForFirstConsumer')
const BOUND = { annotations: { 'pv.kubernetes.io/bind-completed': 'yes' } }

const plan = (claim: PersistentVolumeClaim, { volumes = [], ...view }: View = {}): ClaimPlan => {
  const named = volumes.find(({ metadata }) => metadata.name === claim.spec.volumeName)
  return planClaim(claim, { ...NOBODY, named, candidates: volumes, ...view })
}

function outcome(plan: ClaimPlan): string {
  switch (plan.action) {
    case 'bind':
      return `bind ${plan.volume.metadata.name}`
    case 'wait':
      return plan.event === undefined ? 'wait' : `wait ${plan.event.reason}: ${plan.event.message}`
    case 'lost':
      return `lost ${plan.event.reason}: ${plan.event.message}`
    default:
      return `${plan.action} ${plan.storageClass}`
  }
}

test('a claim that any volume will do for', () => {
  const unnamed = claimOf({ spec: { storageClassName: undefined } })
  const none = 'no persistent volumes available for this claim and no storage class is set'
  assert.equal(outcome(plan(claimOf(), { volumes: [volumeOf('v')] })), 'bind v')
  assert.equal(outcome(plan(unnamed)), `wait FailedBinding: ${none}`)
  assert.equal(outcome(plan(claimOf({ spec: { storageClassName: '' } }))), `wait FailedBinding: ${none}`)
  assert.equal(outcome(plan(unnamed, { defaultClass: WAITING })), 'use-class fast')
  assert.equal(outcome(plan(claimOf(), { storageClass: storageClassOf('x') })), 'provision fast')
  assert.equal(outcome(plan(claimOf())), 'provision fast')
})

test('a claim that waits for its first consumer', () => {
  const view = { storageClass: WAITING, volumes: [volumeOf('free')] }
  const selected = claimOf({ metadata: { annotations: { 'volume.kubernetes.io/selected-node': 'node-1' } } })
  assert.match(outcome(plan(claimOf(), view)), /^wait WaitForFirstConsumer: waiting for first consumer to be created/)
  const one = outcome(plan(claimOf(), { ...view, waitingPods: ['p'] }))
  assert.equal(one, 'wait WaitForPodScheduled: waiting for pod p to be scheduled')
  const two = outcome(plan(claimOf(), { ...view, waitingPods: ['p', 'q'] }))
  assert.equal(two, 'wait WaitForPodScheduled: waiting for pods p,q to be scheduled')
  assert.equal(outcome(plan(selected, view)), 'provision fast')
  const chosen = volumeOf('chosen', { spec: { claimRef: CLAIM_REF } })
  assert.equal(outcome(plan(claimOf(), { ...view, volumes: [chosen] })), 'bind chosen')
})

test('a claim that names its volume', () => {
  const claim = claimOf({ spec: { volumeName: 'v' } })
  const withRef = (claimRef: object | undefined, spec: object = {}): { volumes: PersistentVolume[] } => ({
    volumes: [volumeOf('v', { spec: { ...spec, claimRef } })],
  })
  assert.equal(outcome(plan(claim)), 'wait')
  assert.equal(outcome(plan(claim, withRef(undefined))), 'bind v')
  assert.equal(outcome(plan(claim, withRef(CLAIM_REF))), 'bind v')
  const small = outcome(plan(claim, withRef(undefined, { capacity: { storage: '1Mi' } })))
  assert.equal(small, 'wait VolumeMismatch: Cannot bind to requested volume "v": requested PV is too small')
  const taken = outcome(plan(claim, withRef({ ...CLAIM_REF, uid: 'other' })))
  assert.equal(taken, 'wait FailedBinding: volume "v" already bound to a different claim.')
})

test('a claim that has had its volume', () => {
  const claim = claimOf({ metadata: BOUND, spec: { volumeName: 'v' } })
  const withRef = (claimRef: object | undefined): { volumes: PersistentVolume[] } => ({
    volumes: [volumeOf('v', { spec: { claimRef } })],
  })
  assert.match(outcome(plan(claimOf({ metadata: BOUND }))), /^lost ClaimLost: Bound claim has lost reference/)
  assert.match(outcome(plan(claim)), /^lost ClaimLost: Bound claim has lost its PersistentVolume/)
  assert.equal(outcome(plan(claim, withRef(undefined))), 'bind v')
  assert.equal(outcome(plan(claim, withRef(CLAIM_REF))), 'bind v')
  assert.match(outcome(plan(claim, withRef({ ...CLAIM_REF, uid: 'other' }))), /^lost ClaimMisbound: Two claims/)
})

test('a bound claim says who bound it, and is left as it is from then on', () => {
  const bound = bindClaim(claimOf(), volumeOf('v'))
  assert.equal(bound.spec.volumeName, 'v')
  const [byController, completed] = ['pv.kubernetes.io/bound-by-controller', 'pv.kubernetes.io/bind-completed']
  assert.deepEqual(bound.metadata.annotations, { [byController]: 'yes', [completed]: 'yes' })
  assert.equal(bindClaim(bound, volumeOf('v')), bound)
  const byHand = bindClaim(claimOf({ spec: { volumeName: 'v' } }), volumeOf('v'))
  assert.deepEqual(byHand.metadata.annotations, { [completed]: 'yes' })
})

test('the status of a claim', () => {
  const volume = volumeOf('v', { spec: { volumeAttributesClassName: 'gold' } })
  const bound = planClaimStatus(claimOf(), 'Bound', volume)
  const expected = { phase: 'Bound', accessModes: ['ReadWriteOnce'], capacity: { storage: '2Gi' } }
  assert.deepEqual(bound, { ...expected, currentVolumeAttributesClassName: 'gold' })
  const grown = { ...expected, capacity: { storage: '1Gi' } }
  assert.equal(
    planClaimStatus(claimOf({ status: grown }), 'Bound', volume),
    null,
    'the capacity is not taken over again',
  )
  const annotations = { 'volume.alpha.kubernetes.io/pre-resize-capacity': '1Gi' }
  assert.deepEqual(planClaimStatus(claimOf(), 'Bound', volumeOf('v', { metadata: { annotations } }))?.capacity, {
    storage: '1Gi',
  })
  assert.deepEqual(planClaimStatus(claimOf({ status: expected }), 'Lost', null), { phase: 'Lost' })
  assert.equal(planClaimStatus(claimOf(), 'Pending', null), null)
})

test('who makes a volume', () => {
  const provisioner = (name: string): object => planProvision('fast', storageClassOf(name))
  assert.deepEqual(planProvision('fast', undefined), { failure: 'storageclass.storage.k8s.io "fast" not found' })
  assert.deepEqual(provisioner('example.com/disk'), { provisioner: 'example.com/disk' })
  assert.deepEqual(provisioner('kubernetes.io/aws-ebs'), { provisioner: 'ebs.csi.aws.com' })
  assert.deepEqual(provisioner('kubernetes.io/no-provisioner'), {
    failure: 'no volume plugin matched name: kubernetes.io/no-provisioner',
  })
  const asked = askProvisioner(claimOf(), 'example.com/disk')
  assert.deepEqual(asked.metadata.annotations, {
    'volume.kubernetes.io/storage-provisioner': 'example.com/disk',
    'volume.beta.kubernetes.io/storage-provisioner': 'example.com/disk',
  })
  assert.equal(askProvisioner(asked, 'example.com/disk'), asked)
})
