/** The fields of what a claim asks for that exist with their features alone. */
import type {
  DeviceClaim,
  DeviceConstraint,
  DeviceSubRequest,
  ExactDeviceRequest,
  ResourceClaimSpec,
} from '#api/resource/v1.gen.ts'
import type { FeatureGates } from '#base/feature-gates.ts'
import { dropDisabled, eachDrop, type FeatureDrop, fieldDrop, joinedDrop, presentDrop } from './feature-drops.ts'

type AnyRequest = ExactDeviceRequest | DeviceSubRequest

const CONSUMABLE = ['DRAConsumableCapacity'] as const

/** Uses of capacity in the spec count for the status, too. */
export const CONSUMABLE_CAPACITY: FeatureDrop<DeviceClaim> = joinedDrop([
  eachDrop(({ constraints }) => constraints ?? [], presentDrop<DeviceConstraint>(CONSUMABLE, ['distinctAttribute'])),
  eachDrop(requestsOf, presentDrop<AnyRequest>(CONSUMABLE, ['capacity'])),
])

const CLAIM_DROPS: readonly FeatureDrop<DeviceClaim>[] = [
  eachDrop(requestsOf, fieldDrop<AnyRequest>(['DRADeviceTaints'], ['tolerations'])),
  CONSUMABLE_CAPACITY,
  eachDrop(requestsOf, fieldDrop<AnyRequest>(['DRADerivedAttributes'], ['derivedAttributes'])),
]

export function dropDisabledClaimFields(
  spec: ResourceClaimSpec | undefined,
  old: ResourceClaimSpec | undefined,
  features: FeatureGates,
): void {
  if (spec?.devices !== undefined) dropDisabled(CLAIM_DROPS, spec.devices, old?.devices, features)
}

/** A claim without requests is stored with null in their place. */
function requestsOf({ requests }: { readonly requests?: DeviceClaim['requests'] | null }): AnyRequest[] {
  return (requests ?? []).flatMap(({ exactly, firstAvailable }) => [
    ...(exactly ? [exactly] : []),
    ...(firstAvailable ?? []),
  ])
}
