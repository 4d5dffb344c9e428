/** The status of a claim that is bound to a volume, or to none. */
import { isDeepStrictEqual } from 'node:util'
import type { PersistentVolume, PersistentVolumeClaim, PersistentVolumeClaimStatus } from '#api/core/v1.gen.ts'
import { compareQuantities } from '#machinery/quantity.ts'

/** On a volume that was made larger before its file system was. */
const PRE_RESIZE_CAPACITY = 'volume.alpha.kubernetes.io/pre-resize-capacity'

type Status = PersistentVolumeClaimStatus

/** Null when the claim's status says so already. */
export function planClaimStatus(
  claim: PersistentVolumeClaim,
  phase: 'Pending' | 'Bound' | 'Lost',
  volume: PersistentVolume | null,
): Status | null {
  const current = claim.status ?? {}
  const status: Status = volume === null ? withoutVolume(current) : withVolume(current, phase, volume)
  const next = { ...status, phase }
  return isDeepStrictEqual(next, current) ? null : next
}

function withoutVolume(status: Status): Status {
  const { accessModes: _modes, capacity: _capacity, currentVolumeAttributesClassName: _class, ...rest } = status
  return rest
}

/** The capacity is taken over once: later the claim's file system may rightly be smaller than its volume. */
function withVolume(status: Status, phase: string, { metadata, spec }: PersistentVolume): Status {
  const next: { -readonly [K in keyof Status]: Status[K] } = { ...status }
  if (spec.accessModes !== undefined) next.accessModes = spec.accessModes
  if (status.phase === phase) return next
  const before = metadata.annotations?.[PRE_RESIZE_CAPACITY]
  const capacity = spec.capacity?.['storage']
  const known = status.capacity?.['storage']
  if (before !== undefined) next.capacity = { ...status.capacity, storage: before }
  else if (capacity !== undefined && (known === undefined || compareQuantities(capacity, known) !== 0))
    next.capacity = spec.capacity!
  const isNew = (status.phase ?? 'Pending') === 'Pending' && phase === 'Bound'
  if (isNew && spec.volumeAttributesClassName !== undefined)
    next.currentVolumeAttributesClassName = spec.volumeAttributesClassName
  return next
}
