/** What a CSI driver can do. */
import type { CSIDriver } from '#api/storage/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import { formatAge } from '#api/table-cells.ts'
import { csiDriverStrategy } from './strategy.ts'

export const csiDriverKind = defineKind<CSIDriver>('storage.k8s.io/v1/csidrivers', {
  answersDeleted: true,
  strategy: csiDriverStrategy,
  row: (object, nowMs) => [
    object.metadata.name,
    object.spec.attachRequired ?? true,
    object.spec.podInfoOnMount ?? false,
    object.spec.storageCapacity ?? false,
    object.spec.tokenRequests?.map((request) => request.audience).join(',') ?? '<unset>',
    object.spec.requiresRepublish ?? false,
    (object.spec.volumeLifecycleModes ?? []).join(',') || '<none>',
    formatAge(object.metadata.creationTimestamp, nowMs),
  ],
})
