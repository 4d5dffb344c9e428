/** Which claims the volumes of a pod stand for, and where each claim is on its way to a volume. */
import type { PersistentVolume, PersistentVolumeClaim, Pod, Volume } from '#api/core/v1.gen.ts'
import type { StorageClass } from '#api/storage/v1.gen.ts'
import type { Lister } from '../lister.ts'

export const SELECTED_NODE = 'volume.kubernetes.io/selected-node'
const BIND_COMPLETED = 'pv.kubernetes.io/bind-completed'
const BETA_STORAGE_CLASS = 'volume.beta.kubernetes.io/storage-class'

export type ClaimUse = { readonly name: string; readonly isEphemeral: boolean }

/** Null for a volume without a claim. */
export function claimOf(volume: Volume, pod: Pod): ClaimUse | null {
  if (volume.persistentVolumeClaim !== undefined)
    return { name: volume.persistentVolumeClaim.claimName, isEphemeral: false }
  if (volume.ephemeral !== undefined) return { name: `${pod.metadata.name}-${volume.name}`, isEphemeral: true }
  return null
}

export function claimsOf(pod: Pod): ClaimUse[] {
  return (pod.spec.volumes ?? []).map((volume) => claimOf(volume, pod)).filter((use) => use !== null)
}

export const usesClaim = (pod: Pod, { metadata }: PersistentVolumeClaim): boolean =>
  pod.metadata.namespace === metadata.namespace && claimsOf(pod).some(({ name }) => name === metadata.name)

export const classOf = ({ metadata, spec }: PersistentVolumeClaim | PersistentVolume): string =>
  metadata.annotations?.[BETA_STORAGE_CLASS] ?? spec.storageClassName ?? ''

export const isFullyBound = ({ metadata, spec }: PersistentVolumeClaim): boolean =>
  Boolean(spec.volumeName) && metadata.annotations?.[BIND_COMPLETED] !== undefined

/** Nobody binds the claim before the scheduler has chosen a node. */
export const waitsForConsumer = (claim: PersistentVolumeClaim, classes: Lister<StorageClass>): boolean =>
  classes.get(classOf(claim))?.volumeBindingMode === 'WaitForFirstConsumer'

/** Why the pod cannot use the claim as it is; null when it can. */
export function whyUnusable(use: ClaimUse, claim: PersistentVolumeClaim | undefined, pod: Pod): string | null {
  const name = JSON.stringify(use.name)
  if (claim === undefined)
    return use.isEphemeral
      ? `waiting for ephemeral volume controller to create the persistentvolumeclaim ${name}`
      : `persistentvolumeclaim ${name} not found`
  if (claim.status?.phase === 'Lost')
    return `persistentvolumeclaim ${name} bound to non-existent persistentvolume ${JSON.stringify(claim.spec.volumeName)}`
  if (claim.metadata.deletionTimestamp !== undefined) return `persistentvolumeclaim ${name} is being deleted`
  const isOwner = claim.metadata.ownerReferences?.some(
    ({ uid, controller }) => controller === true && uid === pod.metadata.uid,
  )
  const { namespace } = pod.metadata
  return use.isEphemeral && isOwner !== true
    ? `PVC ${namespace}/${use.name} was not created for pod ${namespace}/${pod.metadata.name} (pod is not owner)`
    : null
}
