/** Checks requests for the state of pools of devices, and the answers to them. */
import type {
  PartitionTypeStatus,
  PoolStatus,
  ResourcePoolStatusRequest,
  ResourcePoolStatusRequestSpec,
  ResourcePoolStatusRequestStatus,
  ShareableSummaryStatus,
} from '#api/resource/v1alpha3.gen.ts'
import type { StrategyContext } from '#api/kind.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import { checkDnsSubdomain, checkPresent, IMMUTABLE } from '#api/validation.ts'
import { duplicate, type FieldError, invalidValue, required, tooLong, tooMany } from '#machinery/field-error.ts'
import { validateConditions } from '#machinery/validation/fields.ts'
import { isDns1123Subdomain } from '#machinery/validation/names.ts'
import { checkFullyQualified } from '../names.ts'

const LIMIT_MAX = 1000
const POOLS_MAX = 1000
const CONDITIONS_MAX = 10
const SUMMARY_MAX = 32
const ERROR_BYTES_MAX = 256

const NAME_BYTES_MAX = 253
const NAME_PATTERN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/i
const CASELESS_NAME =
  "an RFC 1123 subdomain must consist of alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'Example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"

function checkDriverName(errors: FieldError[], path: string, name: string): void {
  if (!checkPresent(errors, path, name)) return
  if (name.length > NAME_BYTES_MAX)
    errors.push(invalidValue(path, name, `must be no more than ${NAME_BYTES_MAX} bytes`))
  if (!NAME_PATTERN.test(name)) errors.push(invalidValue(path, name, CASELESS_NAME))
}

function checkPoolName(errors: FieldError[], path: string, name: string): void {
  if (name.length > NAME_BYTES_MAX) errors.push(tooLong(path, NAME_BYTES_MAX))
  for (const [i, segment] of name.split('/').entries()) {
    const problems = segment === '' ? ['must not be empty'] : isDns1123Subdomain(segment)
    const bad = segment === '' ? name : segment
    for (const problem of problems) errors.push(invalidValue(path, bad, `segment ${i}: ${problem}`))
  }
}

export function validateRequestSpec(spec: ResourcePoolStatusRequestSpec, { features }: StrategyContext): FieldError[] {
  const errors: FieldError[] = []
  const { driver = '', poolName, limit, defaultPartitionTypeAttribute: attribute } = spec
  checkDriverName(errors, 'spec.driver', driver)
  if (poolName !== undefined) checkPoolName(errors, 'spec.poolName', poolName)
  if (limit !== undefined && limit > LIMIT_MAX)
    errors.push(invalidValue('spec.limit', limit, `must be less than or equal to ${LIMIT_MAX}`))
  checkMinimum(errors, 'spec.limit', limit, 1)
  if (attribute !== undefined && features.isEnabled('DRAPartitionableDevicesType'))
    checkFullyQualified(errors, 'spec.defaultPartitionTypeAttribute', attribute)
  return errors
}

/** An answer is given once. */
export function validateRequestStatus(
  { status }: ResourcePoolStatusRequest,
  { status: old }: ResourcePoolStatusRequest,
): FieldError[] {
  if (old !== undefined) return isSemanticallyEqual(status, old) ? [] : [invalidValue('status', status, IMMUTABLE)]
  return status === undefined ? [] : checkStatus(status)
}

function checkStatus({ conditions = [], poolCount, pools = [] }: ResourcePoolStatusRequestStatus): FieldError[] {
  const errors = validateConditions(conditions, 'status.conditions')
  checkCount(errors, 'status.poolCount', poolCount)
  if (pools.length > POOLS_MAX) errors.push(tooMany('status.pools', pools.length, POOLS_MAX))
  else for (const [i, pool] of pools.entries()) checkPoolStatus(errors, `status.pools[${i}]`, pool)
  if (conditions.length > CONDITIONS_MAX) errors.push(tooMany('status.conditions', conditions.length, CONDITIONS_MAX))
  return errors
}

const COUNTS = ['totalDevices', 'allocatedDevices', 'availableDevices', 'unavailableDevices'] as const

function checkPoolStatus(errors: FieldError[], path: string, pool: PoolStatus): void {
  checkDriverName(errors, `${path}.driver`, pool.driver ?? '')
  if (checkPresent(errors, `${path}.poolName`, pool.poolName)) checkPoolName(errors, `${path}.poolName`, pool.poolName)
  // Go cannot tell a zero from nothing here.
  if (!pool.generation) errors.push(required(`${path}.generation`))
  else checkMinimum(errors, `${path}.generation`, pool.generation, 0)
  checkMinimum(errors, `${path}.resourceSliceCount`, pool.resourceSliceCount, 1)
  for (const field of COUNTS) checkMinimum(errors, `${path}.${field}`, pool[field], 0)
  if (pool.nodeName !== undefined) checkDnsSubdomain(errors, `${path}.nodeName`, pool.nodeName)
  if (Buffer.byteLength(pool.validationError ?? '') > ERROR_BYTES_MAX)
    errors.push(tooLong(`${path}.validationError`, ERROR_BYTES_MAX))
  checkPartitions(errors, `${path}.partitionSummary`, pool.partitionSummary ?? [])
  if (pool.shareableSummary !== undefined) checkShareable(errors, `${path}.shareableSummary`, pool.shareableSummary)
}

function checkPartitions(errors: FieldError[], path: string, partitions: readonly PartitionTypeStatus[]): void {
  if (partitions.length > SUMMARY_MAX) {
    errors.push(tooMany(path, partitions.length, SUMMARY_MAX))
    return
  }
  for (const [i, { attribute, type }] of partitions.entries())
    if (partitions.findIndex((other) => other.attribute === attribute && other.type === type) < i)
      errors.push(duplicate(`${path}[${i}]`, { attribute, type }))
  for (const [i, partition] of partitions.entries()) {
    checkPresent(errors, `${path}[${i}].attribute`, partition.attribute)
    checkPresent(errors, `${path}[${i}].type`, partition.type)
    checkCount(errors, `${path}[${i}].total`, partition.total)
    checkCount(errors, `${path}[${i}].allocatable`, partition.allocatable)
  }
}

function checkShareable(errors: FieldError[], path: string, summary: ShareableSummaryStatus): void {
  checkCount(errors, `${path}.fullyAvailableDevices`, summary.fullyAvailableDevices)
  checkCount(errors, `${path}.partiallyAvailableDevices`, summary.partiallyAvailableDevices)
  const capacity = summary.capacity ?? []
  if (capacity.length > SUMMARY_MAX) {
    errors.push(tooMany(`${path}.capacity`, capacity.length, SUMMARY_MAX))
    return
  }
  for (const [i, item] of capacity.entries())
    for (const field of ['name', 'total', 'consumed', 'available'] as const)
      checkPresent(errors, `${path}.capacity[${i}].${field}`, item[field])
}

function checkCount(errors: FieldError[], path: string, value: number | undefined): void {
  if (value === undefined) errors.push(required(path))
  else checkMinimum(errors, path, value, 0)
}

function checkMinimum(errors: FieldError[], path: string, value: number | undefined, minimum: number): void {
  if (value !== undefined && value < minimum)
    errors.push(invalidValue(path, value, `must be greater than or equal to ${minimum}`))
}
