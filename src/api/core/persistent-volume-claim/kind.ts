/** A request for a volume. */
import type { PersistentVolumeClaim } from '#api/core/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import { formatAge } from '#api/table-cells.ts'
import { formatAccessModes } from '../access-modes.ts'
import { persistentVolumeClaimStrategy } from './strategy.ts'

const CLASS_ANNOTATION = 'volume.beta.kubernetes.io/storage-class'

function claimCells(claim: PersistentVolumeClaim, nowMs: number): unknown[] {
  const isBound = (claim.spec.volumeName ?? '') !== ''
  return [
    claim.metadata.name,
    claim.metadata.deletionTimestamp === undefined ? (claim.status?.phase ?? '') : 'Terminating',
    claim.spec.volumeName ?? '',
    isBound ? (claim.status?.capacity?.['storage'] ?? '0') : '',
    isBound ? formatAccessModes(claim.status?.accessModes) : '',
    claim.metadata.annotations?.[CLASS_ANNOTATION] ?? claim.spec.storageClassName ?? '',
    claim.spec.volumeAttributesClassName ?? '<unset>',
    formatAge(claim.metadata.creationTimestamp, nowMs),
    claim.spec.volumeMode ?? '<unset>',
  ]
}

export const persistentVolumeClaimKind = defineKind<PersistentVolumeClaim>('v1/persistentvolumeclaims', {
  answersDeleted: true,
  strategy: persistentVolumeClaimStrategy,
  row: (object, nowMs) => claimCells(object, nowMs),
})
