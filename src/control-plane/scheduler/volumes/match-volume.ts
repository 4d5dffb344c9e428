/** Finds the volume that fits a claim best, on a node: the rules of upstream's volume binder. */
import type { Node, PersistentVolume, PersistentVolumeClaim } from '#api/core/v1.gen.ts'
import { matchesNodeSelector } from '#api/core/node-selector.ts'
import { quantityToNumber } from '#machinery/quantity.ts'
import { matcherOf } from '#machinery/selectors/label-selector.ts'
import { classOf } from './pod-claims.ts'

const BOUND_BY_CONTROLLER = 'pv.kubernetes.io/bound-by-controller'

export const capacityOf = ({ spec }: PersistentVolume): number => quantityToNumber(spec.capacity?.['storage'] ?? '0')
export const requestOf = ({ spec }: PersistentVolumeClaim): number =>
  quantityToNumber(spec.resources?.requests?.['storage'] ?? '0')

export function isReachableFrom({ spec }: PersistentVolume, node: Node): boolean {
  const required = spec.nodeAffinity?.required
  return required === undefined || matchesNodeSelector(required, node)
}

/** Reserved for the claim by name; a uid in the reference narrows it down to this one object. */
export function isReservedFor({ spec }: PersistentVolume, { metadata }: PersistentVolumeClaim): boolean {
  const ref = spec.claimRef
  return (
    ref !== undefined &&
    ref.name === metadata.name &&
    ref.namespace === metadata.namespace &&
    (!ref.uid || ref.uid === metadata.uid)
  )
}

/** The volume that is reserved for the claim, or else the smallest free one; undefined when none can be used on the node. */
export function findMatchingVolume(
  claim: PersistentVolumeClaim,
  volumes: readonly PersistentVolume[],
  node: Node,
  taken: ReadonlySet<string>,
): PersistentVolume | undefined {
  const usable = volumes.filter(
    (volume) =>
      !taken.has(volume.metadata.name) &&
      volume.metadata.deletionTimestamp === undefined &&
      (volume.spec.volumeMode ?? 'Filesystem') === (claim.spec.volumeMode ?? 'Filesystem') &&
      (volume.spec.volumeAttributesClassName ?? '') === (claim.spec.volumeAttributesClassName ?? '') &&
      capacityOf(volume) >= requestOf(claim),
  )
  const reserved = usable.find((volume) => isReservedFor(volume, claim))
  if (reserved !== undefined) return isReachableFrom(reserved, node) ? reserved : undefined
  const selector = claim.spec.selector === undefined ? null : matcherOf(claim.spec.selector)
  const free = usable.filter(
    (volume) =>
      volume.status?.phase === 'Available' &&
      volume.spec.claimRef === undefined &&
      (selector === null || selector.matches(volume.metadata.labels)) &&
      classOf(volume) === classOf(claim) &&
      (claim.spec.accessModes ?? []).every((mode) => volume.spec.accessModes?.includes(mode)) &&
      isReachableFrom(volume, node),
  )
  return free.toSorted((a, b) => capacityOf(a) - capacityOf(b))[0]
}

/** The volume with its reference to the claim; the controller binds the claim once it sees it. */
export function bindVolume(volume: PersistentVolume, claim: PersistentVolumeClaim): PersistentVolume {
  const { namespace, name, uid, resourceVersion } = claim.metadata
  const claimRef = {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    namespace: namespace!,
    name,
    uid,
    resourceVersion,
  }
  // Says that nobody reserved the volume by hand, so that it is free again without the claim.
  const annotations = isReservedFor(volume, claim)
    ? volume.metadata.annotations
    : { ...volume.metadata.annotations, [BOUND_BY_CONTROLLER]: 'yes' }
  return {
    ...volume,
    metadata: { ...volume.metadata, ...(annotations === undefined ? {} : { annotations }) },
    spec: { ...volume.spec, claimRef },
  }
}
