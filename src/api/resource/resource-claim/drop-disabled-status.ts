/** What drivers and the scheduler tell of features that are off, and of devices that are no longer allocated. */
import type { AllocatedDeviceStatus, DeviceRequestAllocationResult, ResourceClaim } from '#api/resource/v1.gen.ts'
import type { FeatureGates } from '#base/feature-gates.ts'
import { CONSUMABLE_CAPACITY } from '../drop-disabled-claim-fields.ts'
import { dropDisabled, eachDrop, type FeatureDrop, fieldDrop, joinedDrop, presentDrop } from '../feature-drops.ts'

const resultsOf = ({ status }: ResourceClaim): DeviceRequestAllocationResult[] =>
  status?.allocation?.devices?.results ?? []
const devicesOf = ({ status }: ResourceClaim): AllocatedDeviceStatus[] => status?.devices ?? []

const { gates: CONSUMABLE } = CONSUMABLE_CAPACITY

const STATUS_DROPS: readonly FeatureDrop<ResourceClaim>[] = [
  joinedDrop([
    // What the claim asks for counts as use, and stays.
    { gates: CONSUMABLE, isUsed: ({ spec }) => CONSUMABLE_CAPACITY.isUsed(spec.devices ?? {}), drop() {} },
    eachDrop(resultsOf, presentDrop<DeviceRequestAllocationResult>(CONSUMABLE, ['shareID', 'consumedCapacity'])),
    eachDrop(devicesOf, presentDrop<AllocatedDeviceStatus>(CONSUMABLE, ['shareID'])),
  ]),
  eachDrop(
    resultsOf,
    presentDrop<DeviceRequestAllocationResult>(
      ['DRADeviceBindingConditions'],
      ['bindingConditions', 'bindingFailureConditions'],
    ),
  ),
  eachDrop(resultsOf, fieldDrop<DeviceRequestAllocationResult>(['DRAOptionalNodeOperations'], ['skipNodeOperations'])),
]

export function dropClaimStatusFields(claim: ResourceClaim, old: ResourceClaim, features: FeatureGates): void {
  dropDisabled(STATUS_DROPS, claim, old, features)
  dropDeallocatedDevices(claim, old)
}

/** Whoever deallocates devices may not know of their status, which would stay behind. */
function dropDeallocatedDevices(claim: ResourceClaim, old: ResourceClaim): void {
  const { status } = claim
  if (status?.devices === undefined) return
  const allocated = new Set(resultsOf(claim).map(idOf))
  const gone = new Set(
    resultsOf(old)
      .map(idOf)
      .filter((id) => !allocated.has(id)),
  )
  const kept = status.devices.filter((device) => !gone.has(idOf(device)))
  if (kept.length === 0) delete status.devices
  else status.devices = kept
}

type DeviceId = Pick<AllocatedDeviceStatus, 'driver' | 'pool' | 'device' | 'shareID'>

function idOf({ driver, pool, device, shareID }: DeviceId): string {
  return JSON.stringify([driver, pool, device, shareID ?? null])
}
