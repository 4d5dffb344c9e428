/** A way to make volumes for claims. */
import type { StorageClass } from '#api/storage/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import { formatAge } from '#api/table-cells.ts'
import { storageClassStrategy } from './strategy.ts'

export const storageClassKind = defineKind<StorageClass>('storage.k8s.io/v1/storageclasses', {
  answersDeleted: true,
  strategy: storageClassStrategy,
  row: (object, nowMs) => [
    object.metadata.name,
    object.provisioner ?? '',
    object.reclaimPolicy ?? 'Delete',
    object.volumeBindingMode ?? 'Immediate',
    object.allowVolumeExpansion ?? false,
    formatAge(object.metadata.creationTimestamp, nowMs),
  ],
})
