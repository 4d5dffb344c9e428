/** What a driver may write of a claim: the allocation once, consumers only with an allocation. */
import type { AllocationResult, DeviceClaim, ResourceClaim } from '#api/resource/v1.gen.ts'
import { asSent } from '#api/go-values/show-as-go.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import { checkDeclaredDriver, checkDnsLabel, checkPresent, checkRequiredEnum } from '#api/validation.ts'
import { declared, duplicate, type FieldError, forbiddenField, invalidValue, tooMany } from '#machinery/field-error.ts'
import { checkReferences, requestNamesOf } from '../claim-spec.ts'
import { checkConfiguration, checkEach } from '../device-config.ts'
import { checkDeclaredPool } from '../names.ts'
import { checkSkippedOperations } from '../skipped-operations.ts'

const CONSUMERS_MAX = 256
const CONSUMERS = 'status.reservedFor'
const ALLOCATION = 'status.allocation'

export function validateClaimStatus(claim: ResourceClaim, old: ResourceClaim): FieldError[] {
  const errors: FieldError[] = []
  const { reservedFor = [], allocation } = claim.status ?? {}
  if (reservedFor.length > CONSUMERS_MAX) errors.push(tooMany(CONSUMERS, reservedFor.length, CONSUMERS_MAX))
  for (const [i, consumer] of reservedFor.entries()) {
    for (const name of ['resource', 'name', 'uid'] as const)
      checkPresent(errors, `${CONSUMERS}[${i}].${name}`, consumer[name])
    if (reservedFor.findIndex(({ uid }) => uid === consumer.uid) < i)
      errors.push(
        declared(
          duplicate(`${CONSUMERS}[${i}]`, asSent('io.k8s.api.resource.v1.ResourceClaimConsumerReference', consumer)),
        ),
      )
  }
  checkConsumers(errors, claim, old)
  const before = old.status?.allocation
  if (allocation !== undefined && before === undefined) checkAllocation(errors, allocation, claim.spec.devices ?? {})
  else if (allocation !== undefined && !isSemanticallyEqual(allocation, before))
    errors.push(declared(invalidValue(ALLOCATION, null, 'field cannot be modified once set')))
  return errors
}

function checkConsumers(errors: FieldError[], { metadata, status }: ResourceClaim, old: ResourceClaim): void {
  const { reservedFor = [], allocation } = status ?? {}
  if (reservedFor.length === 0) return
  if (allocation === undefined) {
    errors.push(forbiddenField(CONSUMERS, 'may not be specified when `allocated` is not set'))
    return
  }
  const known = (old.status?.reservedFor ?? []).map(({ uid }) => uid)
  if (metadata.deletionTimestamp === undefined || reservedFor.every(({ uid }) => known.includes(uid))) return
  const text = 'new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set'
  errors.push(forbiddenField(CONSUMERS, text))
}

function checkAllocation(errors: FieldError[], allocation: AllocationResult, claim: DeviceClaim): void {
  const knows = requestNamesOf(claim)
  const path = `${ALLOCATION}.devices`
  checkEach(errors, `${path}.results`, allocation.devices?.results, (place, result) => {
    if (!knows(result.request ?? '')) {
      const text =
        "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'"
      errors.push(invalidValue(`${place}.request`, result.request ?? '', text))
    }
    checkDeclaredDriver(errors, `${place}.driver`, result.driver ?? '')
    checkDeclaredPool(errors, `${place}.pool`, result.pool ?? '')
    checkDnsLabel(errors, `${place}.device`, result.device ?? '')
    checkSkippedOperations(errors, `${place}.skipNodeOperations`, result.skipNodeOperations)
  })
  checkEach(errors, `${path}.config`, allocation.devices?.config, (place, config) => {
    checkRequiredEnum(errors, `${place}.source`, config.source, ['FromClaim', 'FromClass'])
    checkReferences(errors, `${place}.requests`, config.requests ?? [], knows)
    checkConfiguration(errors, place, config)
  })
}
