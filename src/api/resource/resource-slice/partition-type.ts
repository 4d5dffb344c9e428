/** The attribute that tells the kind of a partition of a device: all that share counters must carry it as text. */
import type { Device, DeviceAttribute, ResourceSliceSpec } from '#api/resource/v1.gen.ts'
import { type FieldError, invalidValue, required } from '#machinery/field-error.ts'
import { checkFullyQualified } from '../names.ts'

const PATH = 'spec.partitionTypeAttribute'
const MISSING = 'device consumes counters and `partitionTypeAttribute` names this attribute, so it must be set'
const NO_TEXT = 'must be a string value because `partitionTypeAttribute` names this attribute'

export function checkPartitionType(errors: FieldError[], spec: ResourceSliceSpec): void {
  const { partitionTypeAttribute: name, driver, devices = [] } = spec
  if (name === undefined) return
  const malformed: FieldError[] = []
  checkFullyQualified(malformed, PATH, name)
  if (!devices.some(sharesCounters)) {
    const text = 'may only be set on a slice which declares devices that consume counters'
    errors.push(invalidValue(PATH, name, text))
  } else if (malformed.length === 0)
    for (const [i, device] of devices.entries()) {
      if (!sharesCounters(device)) continue
      const path = `spec.devices[${i}].attributes[${name}]`
      const attribute = attributeOf(device, name, driver)
      if (attribute === undefined) errors.push(required(path, MISSING))
      else if (attribute.string === undefined) errors.push(invalidValue(path, attribute, NO_TEXT))
    }
  errors.push(...malformed)
}

const sharesCounters = ({ consumesCounters = [] }: Device): boolean => consumesCounters.length > 0

/** Attributes of the driver's own domain may lack it. */
function attributeOf({ attributes = {} }: Device, name: string, driver: string): DeviceAttribute | undefined {
  const own = `${driver}/`
  return attributes[name] ?? (name.startsWith(own) ? attributes[name.slice(own.length)] : undefined)
}
