/** A piece of storage that a claim can be bound to. */
import type { PersistentVolume } from '#api/core/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import { formatAge } from '#api/table-cells.ts'
import { formatAccessModes } from '../access-modes.ts'
import { persistentVolumeStrategy } from './strategy.ts'

const CLASS_ANNOTATION = 'volume.beta.kubernetes.io/storage-class'

function volumeCells(volume: PersistentVolume, nowMs: number): unknown[] {
  const { spec, status, metadata } = volume
  return [
    metadata.name,
    spec.capacity?.['storage'] ?? '0',
    formatAccessModes(spec.accessModes),
    spec.persistentVolumeReclaimPolicy ?? '',
    metadata.deletionTimestamp === undefined ? (status?.phase ?? '') : 'Terminating',
    spec.claimRef === undefined ? '' : `${spec.claimRef.namespace ?? ''}/${spec.claimRef.name ?? ''}`,
    metadata.annotations?.[CLASS_ANNOTATION] ?? spec.storageClassName ?? '',
    spec.volumeAttributesClassName ?? '<unset>',
    status?.reason ?? '',
    formatAge(metadata.creationTimestamp, nowMs),
    spec.volumeMode ?? '<unset>',
  ]
}

export const persistentVolumeKind = defineKind<PersistentVolume>('v1/persistentvolumes', {
  answersDeleted: true,
  strategy: persistentVolumeStrategy,
  row: (object, nowMs) => volumeCells(object, nowMs),
})
