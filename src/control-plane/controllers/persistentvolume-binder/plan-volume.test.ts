/** What becomes of volumes whose claims come, go and choose others. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { planReclaim, planVolume, unbindVolume } from './plan-volume.ts'
import { CLAIM_REF, claimOf, volumeOf } from './testing.ts'

const BY_CONTROLLER = { 'pv.kubernetes.io/bound-by-controller': 'yes' }
const PROVISIONED = { 'pv.kubernetes.io/provisioned-by': 'example.com/disk' }

test('a volume and the claim that it names', () => {
  const { uid: _uid, ...byName } = CLAIM_REF
  const bound = volumeOf('v', { spec: { claimRef: CLAIM_REF } })
  const action = (volume = bound, claim: ReturnType<typeof claimOf> | null = null): string =>
    Object.values(planVolume(volume, claim)).join(' ')
  assert.equal(action(volumeOf('v')), 'set-phase Available')
  assert.equal(action(volumeOf('v', { spec: { claimRef: byName } })), 'set-phase Available')
  assert.equal(action(bound, null), 'release')
  assert.equal(action(bound, claimOf({ metadata: { uid: 'another' } })), 'release')
  assert.equal(action(bound, claimOf()), 'look-at-claim')
  assert.equal(action(bound, claimOf({ spec: { volumeMode: 'Block' } })), 'tell-mismatch')
  assert.equal(action(bound, claimOf({ spec: { volumeName: 'v' } })), 'set-phase Bound')
  const elsewhere = claimOf({ spec: { volumeName: 'w' } })
  assert.equal(action(bound, elsewhere), 'unbind')
  const spec = { claimRef: CLAIM_REF, persistentVolumeReclaimPolicy: 'Delete' }
  assert.equal(action(volumeOf('v', { spec, metadata: { annotations: PROVISIONED } }), elsewhere), 'release')
})

test('a volume that is given back is free, or still reserved when that was done by hand', () => {
  const mine = unbindVolume(volumeOf('v', { spec: { claimRef: CLAIM_REF }, metadata: { annotations: BY_CONTROLLER } }))
  assert.deepEqual([mine.spec.claimRef, mine.metadata.annotations], [undefined, undefined])
  const reserved = unbindVolume(volumeOf('v', { spec: { claimRef: CLAIM_REF }, metadata: { annotations: { a: 'b' } } }))
  assert.deepEqual([reserved.spec.claimRef, reserved.metadata.annotations], [{ namespace: 'n', name: 'c' }, { a: 'b' }])
})

test('reclaiming', () => {
  const reclaim = (policy: string | undefined, annotations: object = {}, spec: object = {}): string | null => {
    const volume = volumeOf('v', {
      spec: { persistentVolumeReclaimPolicy: policy, ...spec },
      metadata: { annotations },
    })
    const failure = planReclaim(volume)
    return failure === null ? null : `${failure.reason}: ${failure.message}`
  }
  assert.equal(reclaim('Retain'), null)
  assert.equal(reclaim(undefined), null)
  assert.equal(reclaim('Delete', PROVISIONED), null, 'its provisioner deletes it')
  assert.equal(reclaim('Delete', {}, { csi: { driver: 'd' } }), null)
  assert.equal(reclaim('Delete', { 'pv.kubernetes.io/migrated-to': 'd' }), null)
  const none = 'no deletable volume plugin matched'
  assert.equal(reclaim('Delete'), `VolumeFailedDelete: error getting deleter volume plugin for volume "v": ${none}`)
  assert.equal(
    reclaim('Delete', { 'pv.kubernetes.io/provisioned-by': 'kubernetes.io/x' }),
    `VolumeFailedDelete: ${none}`,
  )
  assert.equal(reclaim('Recycle'), 'VolumeFailedRecycle: No recycler plugin found for the volume!')
  assert.match(reclaim('Burn')!, /^VolumeUnknownReclaimPolicy: /)
})
