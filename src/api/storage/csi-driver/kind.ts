/** What a CSI driver can do. */
import type { CSIDriver } from '#api/storage/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import type { Strategy } from '#api/kind.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import { bumpGeneration } from '#api/strategies.ts'
import { formatAge } from '#api/table-cells.ts'

const strategy: Strategy<CSIDriver> = {
  // Upstream counts changes but does not start at 1: a new driver has no generation.
  prepareForUpdate(object, old) {
    if (!isSemanticallyEqual(object.spec, old.spec)) bumpGeneration(object, old)
  },
  requireResourceVersion: true,
}

export const csiDriverKind = defineKind<CSIDriver>('storage.k8s.io/v1/csidrivers', {
  strategy,
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
