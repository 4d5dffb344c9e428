/** How a claim and a volume belong together: what the scheduler and the volume binder both go by. */
import type { PersistentVolume, PersistentVolumeClaim } from '#api/core/v1.gen.ts'
import { quantityToNumber } from '#machinery/quantity.ts'

/** On a claim: it has had a volume; without that one it is lost. */
export const BIND_COMPLETED = 'pv.kubernetes.io/bind-completed'
/** On a volume or a claim: nobody chose the other one by hand, so the binding may be undone. */
export const BOUND_BY_CONTROLLER = 'pv.kubernetes.io/bound-by-controller'
/** On a claim: the node on which the scheduler wants its volume. */
export const SELECTED_NODE = 'volume.kubernetes.io/selected-node'
const BETA_STORAGE_CLASS = 'volume.beta.kubernetes.io/storage-class'

export const capacityOf = ({ spec }: PersistentVolume): number => quantityToNumber(spec.capacity?.['storage'] ?? '0')
export const requestOf = ({ spec }: PersistentVolumeClaim): number =>
  quantityToNumber(spec.resources?.requests?.['storage'] ?? '0')

export const classOf = ({ metadata, spec }: PersistentVolumeClaim | PersistentVolume): string =>
  metadata.annotations?.[BETA_STORAGE_CLASS] ?? spec.storageClassName ?? ''

/** Also one that says that it wants none. */
export const namesClass = ({ metadata, spec }: PersistentVolumeClaim): boolean =>
  metadata.annotations?.[BETA_STORAGE_CLASS] !== undefined || spec.storageClassName != null

export const isFullyBound = ({ metadata, spec }: PersistentVolumeClaim): boolean =>
  Boolean(spec.volumeName) && metadata.annotations?.[BIND_COMPLETED] !== undefined

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

export const hasSameVolumeMode = (volume: PersistentVolume, claim: PersistentVolumeClaim): boolean =>
  (volume.spec.volumeMode ?? 'Filesystem') === (claim.spec.volumeMode ?? 'Filesystem')

export const hasSameAttributesClass = (volume: PersistentVolume, claim: PersistentVolumeClaim): boolean =>
  (volume.spec.volumeAttributesClassName ?? '') === (claim.spec.volumeAttributesClassName ?? '')

export const offersAccessModes = (volume: PersistentVolume, claim: PersistentVolumeClaim): boolean =>
  (claim.spec.accessModes ?? []).every((mode) => volume.spec.accessModes?.includes(mode))

/** What even a volume that is reserved for the claim has to be. */
export const couldHold = (volume: PersistentVolume, claim: PersistentVolumeClaim): boolean =>
  volume.metadata.deletionTimestamp === undefined &&
  hasSameVolumeMode(volume, claim) &&
  hasSameAttributesClass(volume, claim) &&
  capacityOf(volume) >= requestOf(claim)

/** The volume with its reference to the claim; the same object when it has that already. */
export function bindVolume(volume: PersistentVolume, claim: PersistentVolumeClaim): PersistentVolume {
  const { namespace, name, uid, resourceVersion } = claim.metadata
  if (isReservedFor(volume, claim) && volume.spec.claimRef?.uid === uid) return volume
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
