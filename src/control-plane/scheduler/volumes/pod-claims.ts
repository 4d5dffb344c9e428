/** Where each claim of a pod is on its way to a volume. */
import type { PersistentVolumeClaim, Pod } from '#api/core/v1.gen.ts'
import { classOf } from '#api/core/persistent-volume/binding.ts'
import { claimsOf, isClaimFor, type ClaimUse } from '#api/core/pod/claims.ts'
import type { StorageClass } from '#api/storage/v1.gen.ts'
import type { Lister } from '../lister.ts'

export const usesClaim = (pod: Pod, { metadata }: PersistentVolumeClaim): boolean =>
  pod.metadata.namespace === metadata.namespace && claimsOf(pod).some(({ name }) => name === metadata.name)

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
  const { namespace } = pod.metadata
  return use.isEphemeral && !isClaimFor(pod, claim)
    ? `PVC ${namespace}/${use.name} was not created for pod ${namespace}/${pod.metadata.name} (pod is not owner)`
    : null
}
