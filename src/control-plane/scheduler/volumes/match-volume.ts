/** Finds the volume that fits a claim best, on a node: the rules of upstream's volume binder. */
import type { Node, PersistentVolume, PersistentVolumeClaim } from '#api/core/v1.gen.ts'
import { matchesNodeSelector } from '#api/core/node-selector.ts'
import {
  capacityOf,
  classOf,
  couldHold,
  isReservedFor,
  offersAccessModes,
} from '#api/core/persistent-volume/binding.ts'
import { matcherOf } from '#machinery/selectors/label-selector.ts'

export function isReachableFrom({ spec }: PersistentVolume, node: Node): boolean {
  const required = spec.nodeAffinity?.required
  return required === undefined || matchesNodeSelector(required, node)
}

/** The volume that is reserved for the claim, or else the smallest free one; undefined when none can be used on the node. */
export function findMatchingVolume(
  claim: PersistentVolumeClaim,
  volumes: readonly PersistentVolume[],
  node: Node,
  taken: ReadonlySet<string>,
): PersistentVolume | undefined {
  const usable = volumes.filter((volume) => !taken.has(volume.metadata.name) && couldHold(volume, claim))
  const reserved = usable.find((volume) => isReservedFor(volume, claim))
  if (reserved !== undefined) return isReachableFrom(reserved, node) ? reserved : undefined
  const selector = claim.spec.selector === undefined ? null : matcherOf(claim.spec.selector)
  const free = usable.filter(
    (volume) =>
      volume.status?.phase === 'Available' &&
      volume.spec.claimRef === undefined &&
      (selector === null || selector.matches(volume.metadata.labels)) &&
      classOf(volume) === classOf(claim) &&
      offersAccessModes(volume, claim) &&
      isReachableFrom(volume, node),
  )
  return free.toSorted((a, b) => capacityOf(a) - capacityOf(b))[0]
}
