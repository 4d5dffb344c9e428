/** Which claims the volumes of a pod stand for. */
import type { PersistentVolumeClaim, Pod, Volume } from '#api/core/v1.gen.ts'

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

/** Made for an ephemeral volume of just this pod. */
export function isClaimFor(pod: Pod, { metadata }: PersistentVolumeClaim): boolean {
  return (
    metadata.ownerReferences?.some(({ uid, controller }) => controller === true && uid === pod.metadata.uid) === true
  )
}
