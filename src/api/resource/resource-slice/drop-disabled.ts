/** The fields of ResourceSlices that exist with their features alone. */
import type {
  Device,
  DeviceAttribute,
  DeviceCapacity,
  DeviceCounterConsumption,
  ResourceSliceSpec,
} from '#api/resource/v1.gen.ts'
import { eachDrop, type FeatureDrop, fieldDrop, joinedDrop, presentDrop } from '../feature-drops.ts'

const devicesOf = ({ devices }: ResourceSliceSpec): Device[] => devices ?? []

const CONSUMABLE = ['DRAConsumableCapacity'] as const
const PARTITIONABLE = ['DRAPartitionableDevices'] as const

export const SLICE_DROPS: readonly FeatureDrop<ResourceSliceSpec>[] = [
  eachDrop(devicesOf, fieldDrop<Device>(['DRADeviceTaints'], ['taints'])),
  joinedDrop([
    fieldDrop<ResourceSliceSpec>(PARTITIONABLE, ['sharedCounters', 'perDeviceNodeSelection']),
    eachDrop(devicesOf, fieldDrop<Device>(PARTITIONABLE, ['consumesCounters', 'nodeName', 'nodeSelector', 'allNodes'])),
  ]),
  eachDrop(
    devicesOf,
    fieldDrop<Device>(
      ['DRADeviceBindingConditions', 'DRAResourceClaimDeviceStatus'],
      ['bindingConditions', 'bindingFailureConditions', 'bindsToNode'],
    ),
  ),
  joinedDrop([
    eachDrop(devicesOf, fieldDrop<Device>(CONSUMABLE, ['allowMultipleAllocations'])),
    eachDrop(capacitiesOf, presentDrop<DeviceCapacity>(CONSUMABLE, ['requestPolicy'])),
  ]),
  eachDrop(
    consumptionsOf,
    fieldDrop<DeviceCounterConsumption>(['DRADeviceCompatibilityGroups'], ['compatibilityGroups']),
  ),
  eachDrop(devicesOf, fieldDrop<Device>(['DRANodeAllocatableResources'], ['nodeAllocatableResources'])),
  eachDrop(
    attributesOf,
    presentDrop<DeviceAttribute>(['DRAListTypeAttributes'], ['bools', 'ints', 'strings', 'versions']),
  ),
  fieldDrop<ResourceSliceSpec>(['DRAPartitionableDevicesType'], ['partitionTypeAttribute']),
  fieldDrop<ResourceSliceSpec>(['DRAOptionalNodeOperations'], ['skipNodeOperations']),
]

function capacitiesOf(spec: ResourceSliceSpec): DeviceCapacity[] {
  return devicesOf(spec).flatMap(({ capacity }) => Object.values(capacity ?? {}))
}

function consumptionsOf(spec: ResourceSliceSpec): DeviceCounterConsumption[] {
  return devicesOf(spec).flatMap(({ consumesCounters }) => consumesCounters ?? [])
}

function attributesOf(spec: ResourceSliceSpec): DeviceAttribute[] {
  return devicesOf(spec).flatMap(({ attributes }) => Object.values(attributes ?? {}))
}
