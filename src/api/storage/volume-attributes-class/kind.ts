/** Settings of a volume that can be changed while it is in use. */
import type { VolumeAttributesClass } from '#api/storage/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import { formatAge } from '#api/table-cells.ts'
import { volumeAttributesClassStrategy } from './strategy.ts'

export const volumeAttributesClassKind = defineKind<VolumeAttributesClass>(
  'storage.k8s.io/v1/volumeattributesclasses',
  {
    answersDeleted: true,
    strategy: volumeAttributesClassStrategy,
    row: (object, nowMs) => [
      object.metadata.name,
      object.driverName ?? '',
      formatAge(object.metadata.creationTimestamp, nowMs),
    ],
  },
)
