/** Which of several volumes a claim gets. */
import assert from 'node:assert/strict'
import test from 'node:test'
import type { PersistentVolume } from '#api/core/v1.gen.ts'
import { findBestMatch, whyUnsatisfying } from './match.ts'
import { CLAIM_REF, claimOf, volumeOf } from './testing.ts'

const size = (storage: string): object => ({ capacity: { storage } })
const match = (volumes: readonly PersistentVolume[], claim = claimOf(), isReservedOnly = false): string | null =>
  findBestMatch(claim, volumes, isReservedOnly)?.metadata.name ?? null

test('the smallest that is large enough', () => {
  const volumes = ['5Gi', '500Mi', '1Gi', '2Gi'].map((storage) => volumeOf(storage, { spec: size(storage) }))
  assert.equal(match(volumes), '1Gi')
  assert.equal(match(volumes.slice(0, 2)), '5Gi')
  assert.equal(match(volumes.slice(1, 2)), null)
})

test('what does not fit', () => {
  const misfits: readonly (readonly [string, object])[] = [
    ['other class', { spec: { storageClassName: 'slow' } }],
    ['no class', { spec: { storageClassName: '' } }],
    ['too few modes', { spec: { accessModes: ['ReadOnlyMany'] } }],
    ['a device', { spec: { volumeMode: 'Block' } }],
    ['attributes', { spec: { volumeAttributesClassName: 'gold' } }],
    ['taken', { spec: { claimRef: { ...CLAIM_REF, name: 'other' } } }],
    ['of an older claim of that name', { spec: { claimRef: { ...CLAIM_REF, uid: 'older' } } }],
    ['not ready', { status: { phase: 'Pending' } }],
    ['released', { status: { phase: 'Released' } }],
    ['going', { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } }],
  ]
  for (const [name, parts] of misfits) assert.equal(match([volumeOf(name, parts)]), null, name)
  assert.equal(
    match([
      volumeOf('old', {
        spec: { storageClassName: undefined },
        metadata: { annotations: { 'volume.beta.kubernetes.io/storage-class': 'fast' } },
      }),
    ]),
    'old',
  )
})

test('labels, when the claim selects by them', () => {
  const claim = claimOf({ spec: { selector: { matchLabels: { disk: 'ssd' } } } })
  const volumes = [volumeOf('plain'), volumeOf('ssd', { metadata: { labels: { disk: 'ssd' } } })]
  assert.equal(match(volumes, claim), 'ssd')
  assert.equal(match(volumes.slice(0, 1), claim), null)
})

test('few access modes before small size', () => {
  const many = volumeOf('many', { spec: { ...size('1Gi'), accessModes: ['ReadWriteOnce', 'ReadWriteMany'] } })
  assert.equal(match([many, volumeOf('one', { spec: size('9Gi') })]), 'one')
  assert.equal(match([many]), 'many')
})

test('a reserved volume comes first, whatever its size and class; with waiting claims nothing else comes', () => {
  const { uid: _uid, ...byName } = CLAIM_REF
  const reserved = volumeOf('reserved', { spec: { ...size('9Gi'), claimRef: byName, storageClassName: 'slow' } })
  assert.equal(match([volumeOf('free'), reserved]), 'reserved')
  assert.equal(match([volumeOf('free'), reserved], claimOf(), true), 'reserved')
  assert.equal(match([volumeOf('free')], claimOf(), true), null)
  assert.equal(match([volumeOf('small', { spec: { ...size('1Mi'), claimRef: byName } })]), null)
})

test('why a volume that is asked for by name is not given', () => {
  const cases: readonly (readonly [object, string | null])[] = [
    [{}, null],
    [{ spec: size('1Mi') }, 'requested PV is too small'],
    [{ spec: { storageClassName: 'slow' } }, 'storageClassName does not match'],
    [{ spec: { volumeAttributesClassName: 'gold' } }, 'volumeAttributesClassName does not match'],
    [{ spec: { volumeMode: 'Block' } }, 'incompatible volumeMode'],
    [{ spec: { accessModes: ['ReadOnlyMany'] } }, 'incompatible accessMode'],
    [{ metadata: { deletionTimestamp: 'x' } }, 'the volume is marked for deletion "v"'],
  ]
  for (const [parts, why] of cases) assert.equal(whyUnsatisfying(volumeOf('v', parts), claimOf()), why)
})
