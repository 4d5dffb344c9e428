/** Finds the volume that an unbound claim gets when no scheduler chooses it. */
import type { PersistentVolume, PersistentVolumeClaim } from '#api/core/v1.gen.ts'
import {
  capacityOf,
  classOf,
  couldHold,
  hasSameAttributesClass,
  hasSameVolumeMode,
  isReservedFor,
  offersAccessModes,
  requestOf,
} from '#api/core/persistent-volume/binding.ts'
import { matcherOf } from '#machinery/selectors/label-selector.ts'

/**
 * The closest: of the volumes with the fewest access modes more than needed the one that is reserved for the claim, or else the smallest
 * free one. With `isReservedOnly` free ones are left to the scheduler.
 */
export function findBestMatch(
  claim: PersistentVolumeClaim,
  volumes: readonly PersistentVolume[],
  isReservedOnly: boolean,
): PersistentVolume | null {
  const usable = volumes.filter((volume) => offersAccessModes(volume, claim) && couldHold(volume, claim))
  const byModes = Map.groupBy(usable, ({ spec }) => new Set(spec.accessModes).size)
  const selector = claim.spec.selector === undefined ? null : matcherOf(claim.spec.selector)
  const isFree = ({ metadata, spec, status }: PersistentVolume): boolean =>
    status?.phase === 'Available' &&
    spec.claimRef === undefined &&
    (selector === null || selector.matches(metadata.labels))
  for (const modes of [...byModes.keys()].toSorted((a, b) => a - b)) {
    const group = byModes.get(modes)!
    const reserved = group.find((volume) => isReservedFor(volume, claim))
    if (reserved !== undefined) return reserved
    if (isReservedOnly) continue
    const free = group.filter((volume) => isFree(volume) && classOf(volume) === classOf(claim))
    const [smallest] = free.toSorted((a, b) => capacityOf(a) - capacityOf(b))
    if (smallest !== undefined) return smallest
  }
  return null
}

/** Why a volume that a claim names cannot be its volume; null when it can. */
export function whyUnsatisfying(volume: PersistentVolume, claim: PersistentVolumeClaim): string | null {
  if (volume.metadata.deletionTimestamp !== undefined)
    return `the volume is marked for deletion ${JSON.stringify(volume.metadata.name)}`
  if (capacityOf(volume) < requestOf(claim)) return 'requested PV is too small'
  if (classOf(volume) !== classOf(claim)) return 'storageClassName does not match'
  if (!hasSameAttributesClass(volume, claim)) return 'volumeAttributesClassName does not match'
  if (!hasSameVolumeMode(volume, claim)) return 'incompatible volumeMode'
  return offersAccessModes(volume, claim) ? null : 'incompatible accessMode'
}
