/** A lock with an expiry: node heartbeats and leader election. */
import type { Lease } from '#api/coordination/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import { formatAge } from '#api/table-cells.ts'

export const leaseKind = defineKind<Lease>('coordination.k8s.io/v1/leases', {
  strategy: { allowCreateOnUpdate: true, requireResourceVersion: true },
  allowPlainFinalizers: true,
  row: (object, nowMs) => [
    object.metadata.name,
    object.spec.holderIdentity ?? '',
    formatAge(object.metadata.creationTimestamp, nowMs),
  ],
})
