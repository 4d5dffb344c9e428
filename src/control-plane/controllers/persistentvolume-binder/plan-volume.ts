/** Decides what becomes of a volume: free, bound, released, or given back because its claim went elsewhere. */
import type { PersistentVolume, PersistentVolumeClaim } from '#api/core/v1.gen.ts'
import { BOUND_BY_CONTROLLER, hasSameVolumeMode } from '#api/core/persistent-volume/binding.ts'

export type VolumePlan =
  | { readonly action: 'set-phase'; readonly phase: 'Available' | 'Bound' }
  /** The claim is on its way to this volume. */
  | { readonly action: 'look-at-claim' }
  /** Claim and volume can never be bound. */
  | { readonly action: 'tell-mismatch' }
  | { readonly action: 'release' }
  | { readonly action: 'unbind' }

const PROVISIONED_BY = 'pv.kubernetes.io/provisioned-by'
const MIGRATED_TO = 'pv.kubernetes.io/migrated-to'

/** `claim`: what the volume's reference names now; a claim of the same name with another uid is another claim. */
export function planVolume(volume: PersistentVolume, claim: PersistentVolumeClaim | null): VolumePlan {
  const { claimRef, persistentVolumeReclaimPolicy } = volume.spec
  if (!claimRef?.uid) return { action: 'set-phase', phase: 'Available' } // Free, or reserved for a claim to come.
  if (claim === null || claim.metadata.uid !== claimRef.uid) return { action: 'release' }
  if (!claim.spec.volumeName) return { action: hasSameVolumeMode(volume, claim) ? 'look-at-claim' : 'tell-mismatch' }
  if (claim.spec.volumeName === volume.metadata.name) return { action: 'set-phase', phase: 'Bound' }
  const isProvisioned = volume.metadata.annotations?.[PROVISIONED_BY] !== undefined
  return { action: isProvisioned && persistentVolumeReclaimPolicy === 'Delete' ? 'release' : 'unbind' }
}

/** The volume without its claim; of a reservation made by hand only the uid goes. */
export function unbindVolume(volume: PersistentVolume): PersistentVolume {
  const { [BOUND_BY_CONTROLLER]: mark, ...annotations } = volume.metadata.annotations ?? {}
  const { claimRef, ...spec } = volume.spec
  if (mark === undefined) {
    const { uid: _uid, ...reservation } = claimRef ?? {}
    return { ...volume, spec: { ...spec, claimRef: reservation } }
  }
  const { annotations: _annotations, ...metadata } = volume.metadata
  return { ...volume, metadata: Object.keys(annotations).length === 0 ? metadata : { ...metadata, annotations }, spec }
}

export type Failure = { readonly reason: string; readonly message: string }

/** Why a released volume cannot be reclaimed as its policy says; null when that is done, or somebody else's work. */
export function planReclaim({ metadata, spec }: PersistentVolume): Failure | null {
  const annotations = metadata.annotations ?? {}
  if (annotations[MIGRATED_TO]) return null
  switch (spec.persistentVolumeReclaimPolicy ?? 'Retain') {
    case 'Retain':
      return null
    case 'Recycle':
      return { reason: 'VolumeFailedRecycle', message: 'No recycler plugin found for the volume!' }
    case 'Delete':
      return whyUndeletable(metadata.name, annotations[PROVISIONED_BY] ?? '', spec)
    default:
      return {
        reason: 'VolumeUnknownReclaimPolicy',
        message: 'Volume has unrecognized PersistentVolumeReclaimPolicy',
      }
  }
}

/** Volumes are deleted by whoever provisions them; there is nobody for the others. */
function whyUndeletable(name: string, provisioner: string, { csi }: PersistentVolume['spec']): Failure | null {
  const reason = 'VolumeFailedDelete'
  if (provisioner !== '')
    return provisioner.startsWith('kubernetes.io/') ? { reason, message: 'no deletable volume plugin matched' } : null
  if (csi !== undefined) return null
  const message = `error getting deleter volume plugin for volume ${JSON.stringify(name)}: no deletable volume plugin matched`
  return { reason, message }
}
