/** A lock with an expiry: node heartbeats and leader election. */
import type { Lease } from '#api/coordination/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import { formatAge } from '#api/table-cells.ts'
import { validateLease } from './validation.ts'

/** Coordinated leader election is an alpha feature: its fields stay only where they are in use. */
function dropElectionFields(spec: Lease['spec'] | undefined, old: Lease['spec'] | undefined): void {
  if (old?.strategy === undefined) delete spec?.strategy
  if (old?.preferredHolder === undefined) delete spec?.preferredHolder
}

export const leaseKind = defineKind<Lease>('coordination.k8s.io/v1/leases', {
  strategy: {
    allowCreateOnUpdate: true,
    requireResourceVersion: true,
    prepareForCreate: ({ spec }) => dropElectionFields(spec, undefined),
    prepareForUpdate: ({ spec }, old) => dropElectionFields(spec, old.spec),
    validate: validateLease,
    validateUpdate: validateLease,
  },
  allowPlainFinalizers: true,
  row: (object, nowMs) => [
    object.metadata.name,
    object.spec.holderIdentity ?? '',
    formatAge(object.metadata.creationTimestamp, nowMs),
  ],
})
