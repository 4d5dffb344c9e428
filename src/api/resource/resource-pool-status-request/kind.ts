/** A request for the state of a driver's pools of devices; answered once, in its status. */
import { defineKind } from '#api/define-kind.ts'
import type { Strategy, StrategyContext } from '#api/kind.ts'
import type { PoolStatus, ResourcePoolStatusRequest } from '#api/resource/v1alpha3.gen.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import { specStatusStrategy } from '#api/strategies.ts'
import { formatAge } from '#api/table-cells.ts'
import { IMMUTABLE } from '#api/validation.ts'
import { invalidValue } from '#machinery/field-error.ts'
import { validateRequestSpec, validateRequestStatus } from './validation.ts'

const POOLS_DEFAULT = 100
const parts = specStatusStrategy<ResourcePoolStatusRequest>({ generation: false, resetsMetaForStatus: true })

const strategy: Strategy<ResourcePoolStatusRequest> = {
  requireResourceVersion: true,
  setDefaults({ spec }) {
    spec.limit ??= POOLS_DEFAULT
  },
  prepareForCreate(request, context) {
    parts.prepareForCreate(request, context)
    dropDisabledFields(request, undefined, context)
  },
  prepareForUpdate(request, old, context) {
    parts.prepareForUpdate(request, old, context)
    if (context.subresource === '') dropDisabledFields(request, old, context)
  },
  validate: ({ spec }, context) => validateRequestSpec(spec, context),
  validateUpdate(request, old, { subresource }) {
    if (subresource === 'status') return validateRequestStatus(request, old)
    return isSemanticallyEqual(request.spec, old.spec) ? [] : [invalidValue('spec', null, IMMUTABLE)]
  },
}

function dropDisabledFields(
  { spec }: ResourcePoolStatusRequest,
  old: ResourcePoolStatusRequest | undefined,
  { features }: StrategyContext,
): void {
  if (features.isEnabled('DRAPartitionableDevicesType') || old?.spec.defaultPartitionTypeAttribute !== undefined) return
  delete spec.defaultPartitionTypeAttribute
}

/** Sums over the pools: total, available, allocated and unavailable devices, and pools with an error. */
function deviceCells({ status }: ResourcePoolStatusRequest, isFailed: boolean): string[] {
  if (status === undefined || isFailed) return ['-', '-', '-', '-', '-']
  const { pools = [] } = status
  const sum = (count: (pool: PoolStatus) => number | undefined): string =>
    String(pools.reduce((total, pool) => total + (count(pool) ?? 0), 0))
  return [
    sum(({ totalDevices }) => totalDevices),
    sum(({ availableDevices }) => availableDevices),
    sum(({ allocatedDevices }) => allocatedDevices),
    sum(({ unavailableDevices }) => unavailableDevices),
    sum(({ validationError }) => (validationError === undefined ? 0 : 1)),
  ]
}

function requestCells(request: ResourcePoolStatusRequest, nowMs: number): unknown[] {
  const { metadata, spec, status } = request
  const outcome = status?.conditions?.find(
    (condition) => ['Complete', 'Failed'].includes(condition.type) && condition.status === 'True',
  )
  const [poolCount, shown] = [status?.poolCount ?? 0, status?.pools?.length ?? 0]
  const isComplete = outcome?.type === 'Complete'
  const state = outcome?.type ?? 'Pending'
  return [
    metadata.name,
    spec.driver ?? '',
    ...deviceCells(request, outcome?.type === 'Failed'),
    poolCount,
    isComplete && poolCount > shown ? `Complete (${shown}/${poolCount} pools)` : state,
    isComplete ? formatAge(outcome.lastTransitionTime, nowMs) : '<none>',
  ]
}

export const resourcePoolStatusRequestKind = defineKind<ResourcePoolStatusRequest>(
  'resource.k8s.io/v1alpha3/resourcepoolstatusrequests',
  { answersDeleted: true, strategy, row: requestCells },
)
