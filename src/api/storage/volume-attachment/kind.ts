/** A volume that is or shall be attached to a node. */
import type { VolumeAttachment } from '#api/storage/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import { formatAge } from '#api/table-cells.ts'
import { volumeAttachmentStrategy } from './strategy.ts'

export const volumeAttachmentKind = defineKind<VolumeAttachment>('storage.k8s.io/v1/volumeattachments', {
  answersDeleted: true,
  strategy: volumeAttachmentStrategy,
  row: (object, nowMs) => [
    object.metadata.name,
    object.spec.attacher ?? '',
    object.spec.source?.persistentVolumeName ?? '',
    object.spec.nodeName ?? '',
    object.status?.attached ?? false,
    formatAge(object.metadata.creationTimestamp, nowMs),
  ],
})
