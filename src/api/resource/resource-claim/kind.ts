/** A claim for devices that pods use; a driver answers it by an allocation. */
import { defineKind } from '#api/define-kind.ts'
import type { Strategy } from '#api/kind.ts'
import type { ResourceClaim } from '#api/resource/v1.gen.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import { specStatusStrategy } from '#api/strategies.ts'
import { formatAge } from '#api/table-cells.ts'
import { immutableField } from '#api/validation.ts'
import { setClaimDefaults, validateClaimSpec } from '../claim-spec.ts'
import { dropDisabledClaimFields } from '../drop-disabled-claim-fields.ts'
import { dropClaimStatusFields } from './drop-disabled-status.ts'
import { validateClaimStatus } from './status-validation.ts'

const parts = specStatusStrategy<ResourceClaim>({ generation: false, resetsMetaForStatus: true })

const strategy: Strategy<ResourceClaim> = {
  prepareForCreate(claim, context) {
    parts.prepareForCreate(claim, context)
    dropDisabledClaimFields(claim.spec, undefined, context.features)
  },
  prepareForUpdate(claim, old, context) {
    parts.prepareForUpdate(claim, old, context)
    if (context.subresource === 'status') dropClaimStatusFields(claim, old, context.features)
    else dropDisabledClaimFields(claim.spec, old.spec, context.features)
  },
  setDefaults: ({ spec }) => setClaimDefaults(spec),
  validate: ({ spec }, { features }) => validateClaimSpec(spec, 'spec', features),
  validateUpdate(claim, old, { subresource }) {
    if (subresource === 'status') return validateClaimStatus(claim, old)
    return isSemanticallyEqual(claim.spec, old.spec) ? [] : [immutableField('spec')]
  },
}

function stateCell({ metadata, status }: ResourceClaim): string {
  const states = metadata.deletionTimestamp === undefined ? [] : ['deleted']
  if (status?.allocation === undefined) return states[0] ?? 'pending'
  const isReserved = (status.reservedFor ?? []).length > 0
  return [...states, 'allocated', ...(isReserved ? ['reserved'] : [])].join(',')
}

export const resourceClaimKind = defineKind<ResourceClaim>('resource.k8s.io/v1/resourceclaims', {
  answersDeleted: true,
  strategy,
  row: (claim, nowMs) => [claim.metadata.name, stateCell(claim), formatAge(claim.metadata.creationTimestamp, nowMs)],
})
