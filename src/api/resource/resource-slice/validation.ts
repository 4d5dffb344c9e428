/** What a ResourceSlice must look like: one place for its devices, and their attributes. */
import { validateNodeSelector } from '#api/core/pod-spec/affinity.ts'
import type { Device, DeviceAttribute, ResourceSlice, ResourceSliceSpec } from '#api/resource/v1.gen.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import { checkDnsLabel, checkDnsSubdomain, IMMUTABLE } from '#api/validation.ts'
import {
  duplicate,
  type FieldError,
  forbiddenField,
  invalidValue,
  required,
  tooLong,
  tooMany,
} from '#machinery/field-error.ts'
import { checkDriver, checkPool, checkQualified } from '../names.ts'
import { checkSkippedOperations } from '../skipped-operations.ts'
import { checkTaint } from '../taints.ts'
import { checkPartitionType } from './partition-type.ts'

const DEVICES_MAX = 128
const DEVICES_WITH_EXTRAS_MAX = 64
const ATTRIBUTES_MAX = 32
const ATTRIBUTE_BYTES_MAX = 64
const SEMVER =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?$/

export function validateResourceSlice({ spec }: ResourceSlice, old?: ResourceSlice): FieldError[] {
  const errors: FieldError[] = []
  const { driver = '', pool } = spec
  checkDriver(errors, 'spec.driver', driver)
  checkPool(errors, 'spec.pool.name', pool?.name ?? '')
  const { resourceSliceCount = 0, generation = 0 } = pool ?? {}
  if (resourceSliceCount <= 0)
    errors.push(invalidValue('spec.pool.resourceSliceCount', resourceSliceCount, 'must be greater than zero'))
  if (generation < 0)
    errors.push(invalidValue('spec.pool.generation', generation, 'must be greater than or equal to zero'))
  if (old !== undefined) checkUnchanged(errors, spec, old.spec)
  checkPlace(errors, spec)
  checkDevices(errors, spec, old?.spec)
  checkPartitionType(errors, spec)
  checkSkippedOperations(errors, 'spec.skipNodeOperations', spec.skipNodeOperations)
  return errors
}

function checkUnchanged(errors: FieldError[], spec: ResourceSliceSpec, old: ResourceSliceSpec): void {
  if (spec.pool.name !== old.pool.name) errors.push(invalidValue('spec.pool.name', spec.pool.name, IMMUTABLE))
  if (spec.driver !== old.driver) errors.push(invalidValue('spec.driver', spec.driver, IMMUTABLE))
  if (spec.nodeName !== old.nodeName) errors.push(invalidValue('spec.nodeName', spec.nodeName ?? null, IMMUTABLE))
}

const PLACES = '`nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection`'

function checkPlace(errors: FieldError[], spec: ResourceSliceSpec): void {
  const { nodeName, nodeSelector, allNodes, perDeviceNodeSelection } = spec
  const places: string[] = []
  if (nodeName === '')
    errors.push(invalidValue('spec.nodeName', '', 'must be either unset or set to a non-empty string'))
  else if (nodeName !== undefined) {
    places.push('`nodeName`')
    checkDnsSubdomain(errors, 'spec.nodeName', nodeName)
  }
  if (nodeSelector !== undefined) {
    places.push('`nodeSelector`')
    validateNodeSelector(errors, nodeSelector, { path: 'spec.nodeSelector', allowInvalidValues: false })
    const terms = nodeSelector.nodeSelectorTerms ?? []
    if (terms.length !== 1) {
      const text = 'must have exactly one node selector term'
      errors.push(invalidValue('spec.nodeSelector.nodeSelectorTerms', terms, text))
    }
  }
  for (const [name, flag] of Object.entries({ allNodes, perDeviceNodeSelection }))
    if (flag === true) places.push(`\`${name}\``)
    else if (flag === false) errors.push(invalidValue(`spec.${name}`, false, 'must be either unset or set to true'))
  const text = `exactly one of ${PLACES} is required`
  if (places.length === 0) errors.push(required('spec', text))
  if (places.length > 1)
    errors.push(invalidValue('spec', `{${places.join(', ')}}`, `${text}, but multiple fields are set`))
}

function checkDevices(errors: FieldError[], spec: ResourceSliceSpec, old: ResourceSliceSpec | undefined): void {
  const { devices = [], sharedCounters } = spec
  if (sharedCounters !== undefined && spec.devices !== undefined)
    errors.push(invalidValue('spec', '', 'only one of `sharedCounters` or `devices` is allowed'))
  const max = devices.some(hasExtras) ? DEVICES_WITH_EXTRAS_MAX : DEVICES_MAX
  if (devices.length > max) {
    errors.push(tooMany('spec.devices', devices.length, max))
    return
  }
  for (const [i, device] of devices.entries()) {
    const before = old?.devices?.find(({ name }) => name === device.name)
    checkDevice(errors, `spec.devices[${i}]`, device, before)
    checkDevicePlace(errors, `spec.devices[${i}]`, device, spec.perDeviceNodeSelection === true)
  }
  for (const [i, { name }] of devices.entries())
    if (devices.findIndex((device) => device.name === name) < i) errors.push(duplicate(`spec.devices[${i}]`, name))
}

function hasExtras({ taints = [], consumesCounters = [], attributes = {} }: Device): boolean {
  const hasLists = Object.values(attributes).some(
    ({ bools, ints, strings, versions }) => (bools ?? ints ?? strings ?? versions) !== undefined,
  )
  return taints.length > 0 || consumesCounters.length > 0 || hasLists
}

function checkDevice(errors: FieldError[], path: string, device: Device, old: Device | undefined): void {
  checkDnsLabel(errors, `${path}.name`, device.name ?? '')
  const { attributes = {}, capacity = {}, taints = [] } = device
  const count = Object.keys(attributes).length + Object.keys(capacity).length
  if (count > ATTRIBUTES_MAX) {
    const text = `the total number of attributes and capacities must not exceed ${ATTRIBUTES_MAX}`
    errors.push(invalidValue(path, count, text))
  }
  for (const [name, attribute] of Object.entries(attributes)) {
    checkQualified(errors, `${path}.attributes`, name)
    checkAttribute(errors, `${path}.attributes[${name}]`, attribute)
  }
  for (const [name, { requestPolicy }] of Object.entries(capacity)) {
    checkQualified(errors, `${path}.capacity`, name)
    if (requestPolicy !== undefined && device.allowMultipleAllocations !== true) {
      const field = `${path}.capacity[${name}].requestPolicy`
      errors.push(forbiddenField(field, 'allowMultipleAllocations must be true'))
    }
  }
  if (old === undefined || !isSemanticallyEqual(old.taints, taints))
    for (const [i, taint] of taints.entries()) checkTaint(errors, `${path}.taints[${i}]`, taint)
}

function checkDevicePlace(errors: FieldError[], path: string, device: Device, isPerDevice: boolean): void {
  const places = (['nodeName', 'nodeSelector', 'allNodes'] as const).filter((name) => device[name] !== undefined)
  if (!isPerDevice) {
    if (places.length === 0) return
    const text =
      '`nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec'
    errors.push(invalidValue(path, null, text))
    return
  }
  const text =
    'exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to true in the ResourceSlice spec'
  if (places.length === 0) errors.push(required(path, text))
  if (places.length > 1) errors.push(invalidValue(path, `{${places.map((name) => `\`${name}\``).join(', ')}}`, text))
}

function checkAttribute(errors: FieldError[], path: string, attribute: DeviceAttribute): void {
  const { string, version } = attribute
  if (string !== undefined && Buffer.byteLength(string) > ATTRIBUTE_BYTES_MAX)
    errors.push(tooLong(`${path}.string`, ATTRIBUTE_BYTES_MAX))
  if (version !== undefined) {
    const text = 'must be a string compatible with semver.org spec 2.0.0'
    if (!SEMVER.test(version)) errors.push(invalidValue(`${path}.version`, version, text))
    if (Buffer.byteLength(version) > ATTRIBUTE_BYTES_MAX) errors.push(tooLong(`${path}.version`, ATTRIBUTE_BYTES_MAX))
  }
  const values = Object.values(attribute).filter((value) => value !== undefined)
  if (values.length !== 1)
    errors.push(invalidValue(path, values.length === 0 ? '' : attribute, 'exactly one value must be specified'))
}
