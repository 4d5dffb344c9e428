/** A lock with an expiry: node heartbeats and leader election. */
import type { Lease } from '#api/coordination/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import type { StrategyContext } from '#api/kind.ts'
import { formatAge } from '#api/table-cells.ts'
import { validateLease } from './validation.ts'

type Spec = Lease['spec'] | undefined

/** Without coordinated leader election its fields stay only where they are in use. */
function dropElectionFields(spec: Spec, old: Spec, { features }: StrategyContext): void {
  if (features.isEnabled('CoordinatedLeaderElection')) return
  if (old?.strategy === undefined) delete spec?.strategy
  if (old?.preferredHolder === undefined) delete spec?.preferredHolder
}

export const leaseKind = defineKind<Lease>('coordination.k8s.io/v1/leases', {
  strategy: {
    allowCreateOnUpdate: true,
    requireResourceVersion: true,
    prepareForCreate: ({ spec }, context) => dropElectionFields(spec, undefined, context),
    prepareForUpdate: ({ spec }, old, context) => dropElectionFields(spec, old.spec, context),
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
