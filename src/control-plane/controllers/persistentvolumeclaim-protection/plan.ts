/** Decides which pods keep a claim from being deleted, and which make it count as used. */
import type { PersistentVolumeClaim, PersistentVolumeClaimCondition, Pod } from '#api/core/v1.gen.ts'
import { claimsOf, isClaimFor, type ClaimUse } from '#api/core/pod/claims.ts'
import { isPodTerminal } from '../pods/pod-state.ts'

/** Without a node the pod's kubelet has not seen it, and will not start it with a claim that is being deleted. */
export function keepsClaim(pod: Pod, claim: PersistentVolumeClaim): boolean {
  if (pod.spec.nodeName === undefined) return false
  const { deletionTimestamp, deletionGracePeriodSeconds } = pod.metadata
  // Its kubelet is done with it; it may itself wait for the claim to go.
  const isShutDown = deletionTimestamp !== undefined && deletionGracePeriodSeconds === 0
  return usesOf(pod, claim).some(({ isEphemeral }) => !isEphemeral || !isShutDown)
}

/** Whether a pod that has not ended refers to the claim. */
export const refersTo = (pod: Pod, claim: PersistentVolumeClaim): boolean =>
  !isPodTerminal(pod) && usesOf(pod, claim).length > 0

function usesOf(pod: Pod, claim: PersistentVolumeClaim): ClaimUse[] {
  return claimsOf(pod).filter(
    ({ name, isEphemeral }) => name === claim.metadata.name && (!isEphemeral || isClaimFor(pod, claim)),
  )
}

/** The claim's conditions with the one that says since when nobody uses it; null when it says so already. */
export function planUnused(
  { status }: PersistentVolumeClaim,
  isUsed: boolean,
  now: string,
): PersistentVolumeClaimCondition[] | null {
  const conditions = status?.conditions ?? []
  const known = conditions.find(({ type }) => type === 'Unused')
  if (known !== undefined && (known.status === 'True') === !isUsed) return null
  const unused: PersistentVolumeClaimCondition = {
    type: 'Unused',
    status: isUsed ? 'False' : 'True',
    lastTransitionTime: now,
    reason: isUsed ? 'PodUsingPVC' : 'NoPodsUsingPVC',
    message: isUsed ? 'A pod is currently referencing this PVC' : 'No pods are currently referencing this PVC',
  }
  return [...conditions.filter(({ type }) => type !== 'Unused'), unused]
}
