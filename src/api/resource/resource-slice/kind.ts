/** The devices that a driver offers on a node, or for several nodes. */
import { defineKind } from '#api/define-kind.ts'
import type { Strategy } from '#api/kind.ts'
import type { ResourceSlice } from '#api/resource/v1.gen.ts'
import { specStatusStrategy } from '#api/strategies.ts'
import { formatAge } from '#api/table-cells.ts'
import { dropDisabled } from '../feature-drops.ts'
import { SLICE_DROPS } from './drop-disabled.ts'
import { validateResourceSlice } from './validation.ts'

const parts = specStatusStrategy<ResourceSlice>({ generation: true })

const strategy: Strategy<ResourceSlice> = {
  prepareForCreate(slice, context) {
    setTaintTimes(slice, context.clock.now())
    parts.prepareForCreate(slice, context)
    dropDisabled(SLICE_DROPS, slice.spec, undefined, context.features)
  },
  prepareForUpdate(slice, old, context) {
    setTaintTimes(slice, context.clock.now())
    parts.prepareForUpdate(slice, old, context)
    dropDisabled(SLICE_DROPS, slice.spec, old.spec, context.features)
  },
  validate: (slice) => validateResourceSlice(slice),
  validateUpdate: validateResourceSlice,
  warnings({ spec: { driver = '' } }) {
    if (driver === driver.toLowerCase()) return []
    return [`spec.driver: driver names should be lowercase; ${JSON.stringify(driver)} contains uppercase characters`]
  },
}

function setTaintTimes({ spec }: ResourceSlice, nowMs: number): void {
  const now = `${new Date(nowMs).toISOString().slice(0, 19)}Z`
  for (const { taints = [] } of spec.devices ?? []) for (const taint of taints) taint.timeAdded ??= now
}

export const resourceSliceKind = defineKind<ResourceSlice>('resource.k8s.io/v1/resourceslices', {
  answersDeleted: true,
  strategy,
  row: ({ metadata, spec }, nowMs) => [
    metadata.name,
    spec.nodeName ?? '',
    spec.driver ?? '',
    spec.pool?.name ?? '',
    formatAge(metadata.creationTimestamp, nowMs),
  ],
  selectableFields: {
    'spec.driver': ({ spec }) => spec.driver ?? '',
    'spec.nodeName': ({ spec }) => spec.nodeName ?? '',
    'spec.pool.name': ({ spec }) => spec.pool?.name ?? '',
  },
})
