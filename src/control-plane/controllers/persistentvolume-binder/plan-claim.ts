/** Decides what becomes of a claim: bound, waiting, given to a provisioner, or lost. */
import type { PersistentVolume, PersistentVolumeClaim } from '#api/core/v1.gen.ts'
import type { StorageClass } from '#api/storage/v1.gen.ts'
import {
  BIND_COMPLETED,
  BOUND_BY_CONTROLLER,
  SELECTED_NODE,
  classOf,
  isReservedFor,
  namesClass,
} from '#api/core/persistent-volume/binding.ts'
import { findBestMatch, whyUnsatisfying } from './match.ts'

export type ClaimEvent = {
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
}

export type ClaimPlan =
  | { readonly action: 'bind'; readonly volume: PersistentVolume }
  /** Pending, and looked at again later. */
  | { readonly action: 'wait'; readonly event?: ClaimEvent }
  | { readonly action: 'use-class'; readonly storageClass: string }
  | { readonly action: 'provision'; readonly storageClass: string }
  | { readonly action: 'lost'; readonly event: ClaimEvent }

/** What is known of the cluster around a claim. */
export type ClaimView = {
  /** The volume that the claim names. */
  readonly named: PersistentVolume | undefined
  /** Free volumes of its class, and those that are reserved for it; of a claim that names none. */
  readonly candidates: readonly PersistentVolume[]
  readonly storageClass: StorageClass | undefined
  readonly defaultClass: StorageClass | null
  /** Names of pods that want the claim and have no node yet. */
  readonly waitingPods: readonly string[]
}

const warning = (reason: string, message: string): ClaimEvent => ({ type: 'Warning', reason, message })
const normal = (reason: string, message: string): ClaimEvent => ({ type: 'Normal', reason, message })

export function planClaim(claim: PersistentVolumeClaim, view: ClaimView): ClaimPlan {
  if (claim.metadata.annotations?.[BIND_COMPLETED] !== undefined) return planBound(claim, view)
  return claim.spec.volumeName ? planNamed(claim, view) : planUnbound(claim, view)
}

function planUnbound(claim: PersistentVolumeClaim, view: ClaimView): ClaimPlan {
  const isDelayed = view.storageClass?.volumeBindingMode === 'WaitForFirstConsumer'
  const volume = findBestMatch(claim, view.candidates, isDelayed)
  if (volume !== null) return { action: 'bind', volume }
  if (!namesClass(claim) && view.defaultClass !== null)
    return { action: 'use-class', storageClass: view.defaultClass.metadata.name }
  if (isDelayed && claim.metadata.annotations?.[SELECTED_NODE] === undefined)
    return { action: 'wait', event: waitsForPod(view.waitingPods) }
  if (classOf(claim) !== '') return { action: 'provision', storageClass: classOf(claim) }
  const message = 'no persistent volumes available for this claim and no storage class is set'
  return { action: 'wait', event: normal('FailedBinding', message) }
}

function waitsForPod(pods: readonly string[]): ClaimEvent {
  if (pods.length === 0)
    return normal('WaitForFirstConsumer', 'waiting for first consumer to be created before binding')
  const which = pods.length === 1 ? `pod ${pods[0]}` : `pods ${pods.join(',')}`
  return normal('WaitForPodScheduled', `waiting for ${which} to be scheduled`)
}

/** The claim says itself which volume it wants. */
function planNamed(claim: PersistentVolumeClaim, { named: volume }: ClaimView): ClaimPlan {
  if (volume === undefined) return { action: 'wait' }
  const name = JSON.stringify(volume.metadata.name)
  if (volume.spec.claimRef === undefined) {
    const problem = whyUnsatisfying(volume, claim)
    if (problem === null) return { action: 'bind', volume }
    return { action: 'wait', event: warning('VolumeMismatch', `Cannot bind to requested volume ${name}: ${problem}`) }
  }
  if (isReservedFor(volume, claim)) return { action: 'bind', volume }
  return { action: 'wait', event: warning('FailedBinding', `volume ${name} already bound to a different claim.`) }
}

function planBound(claim: PersistentVolumeClaim, { named: volume }: ClaimView): ClaimPlan {
  const lost = (reason: string, message: string): ClaimPlan => ({ action: 'lost', event: warning(reason, message) })
  if (!claim.spec.volumeName)
    return lost('ClaimLost', 'Bound claim has lost reference to PersistentVolume. Data on the volume is lost!')
  if (volume === undefined)
    return lost('ClaimLost', 'Bound claim has lost its PersistentVolume. Data on the volume is lost!')
  if (volume.spec.claimRef === undefined || volume.spec.claimRef.uid === claim.metadata.uid)
    return { action: 'bind', volume }
  return lost('ClaimMisbound', 'Two claims are bound to the same volume, this one is bound incorrectly')
}

/** The claim with its volume's name; the same object when it has that already. */
export function bindClaim(claim: PersistentVolumeClaim, volume: PersistentVolume): PersistentVolumeClaim {
  const isNamed = claim.spec.volumeName === volume.metadata.name
  const annotations = {
    ...(isNamed ? {} : { [BOUND_BY_CONTROLLER]: 'yes' }),
    ...claim.metadata.annotations,
    [BIND_COMPLETED]: claim.metadata.annotations?.[BIND_COMPLETED] ?? 'yes',
  }
  if (isNamed && claim.metadata.annotations?.[BIND_COMPLETED] !== undefined) return claim
  return {
    ...claim,
    metadata: { ...claim.metadata, annotations },
    spec: { ...claim.spec, volumeName: volume.metadata.name },
  }
}
