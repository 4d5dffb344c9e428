/** A piece of storage that a claim can be bound to. */
import type { PersistentVolume } from '#api/core/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import type { Strategy } from '#api/kind.ts'
import { specStatusStrategy } from '#api/strategies.ts'
import { formatAge } from '#api/table-cells.ts'
import { formatAccessModes } from '../access-modes.ts'

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

const base = specStatusStrategy<PersistentVolume>({ generation: false })

const strategy: Strategy<PersistentVolume> = {
  prepareForCreate(volume, { clock }) {
    volume.status = {
      phase: 'Pending',
      lastPhaseTransitionTime: `${new Date(clock.now()).toISOString().slice(0, 19)}Z`,
    }
  },
  prepareForUpdate(volume, old, context) {
    base.prepareForUpdate(volume, old, context)
    if (context.subresource !== 'status' || volume.status?.phase === old.status?.phase) return
    const sent = volume.status?.lastPhaseTransitionTime
    if (sent !== undefined && sent !== old.status?.lastPhaseTransitionTime) return
    const now = `${new Date(context.clock.now()).toISOString().slice(0, 19)}Z`
    volume.status = { ...volume.status, lastPhaseTransitionTime: now }
  },
}

export const persistentVolumeKind = defineKind<PersistentVolume>('v1/persistentvolumes', {
  strategy,
  row: (object, nowMs) => volumeCells(object, nowMs),
})
