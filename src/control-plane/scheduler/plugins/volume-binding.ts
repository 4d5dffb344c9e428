/** Sends a pod where its volumes are, or can be: chooses volumes for claims that wait for a node, and has them bound before the pod. */
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '#api/core/v1.gen.ts'
import { capacityOf, classOf, isFullyBound, requestOf } from '#api/core/persistent-volume/binding.ts'
import { claimsOf } from '#api/core/pod/claims.ts'
import type { CSIStorageCapacity } from '#api/storage/v1.gen.ts'
import type { NodeInfo } from '../cache/node-info.ts'
import {
  SCORE_MAX,
  unresolvable,
  type ClusterEvent,
  type CycleState,
  type Plugin,
  type PreFilterResult,
  type Rejection,
} from '../framework.ts'
import type { Lister } from '../lister.ts'
import { AssumeCache } from '../volumes/assume-cache.ts'
import { planVolumes, volumeLimit, type StorageListers, type VolumePlan } from '../volumes/plan-volumes.ts'
import { usesClaim, waitsForConsumer, whyUnusable } from '../volumes/pod-claims.ts'
import { VolumeBinder, type PendingBinding, type VolumeBinderOptions } from '../volumes/volume-binder.ts'

export type VolumeBindingOptions = Omit<VolumeBinderOptions, 'claims' | 'volumes'> &
  StorageListers & {
    readonly claims: Lister<PersistentVolumeClaim>
    readonly volumes: Lister<PersistentVolume>
  }

type State = {
  readonly boundVolumes: readonly (PersistentVolume | undefined)[]
  readonly unbound: readonly PersistentVolumeClaim[]
  readonly volumes: readonly PersistentVolume[]
  /** What was found for each node that fits. */
  readonly plans: Map<string, VolumePlan>
  pending: PendingBinding | null
}

const STATE_KEY = 'VolumeBinding'

export function createVolumeBinding(options: VolumeBindingOptions): Plugin {
  const [claims, volumes] = [new AssumeCache(options.claims), new AssumeCache(options.volumes)]
  const binder = new VolumeBinder({ ...options, claims, volumes })
  const stateOf = (state: CycleState): State | undefined => state.get(STATE_KEY) as State | undefined
  return {
    name: 'VolumeBinding',
    preFilter(state, pod): PreFilterResult | null {
      const found = readClaims(pod, claims)
      if (typeof found === 'string') return { rejection: unresolvable(found) }
      if (found.length === 0) return { skipFilter: true }
      const [bound, unbound] = [found.filter(isFullyBound), found.filter((claim) => !isFullyBound(claim))]
      if (unbound.some((claim) => claim.spec.volumeName || !waitsForConsumer(claim, options.classes)))
        return { rejection: unresolvable('pod has unbound immediate PersistentVolumeClaims') }
      state.set(STATE_KEY, {
        boundVolumes: bound.map((claim) => volumes.get(claim.spec.volumeName!)),
        unbound: unbound.toSorted((a, b) => requestOf(a) - requestOf(b)),
        volumes: unbound.length === 0 ? [] : volumes.list(),
        plans: new Map(),
        pending: null,
      } satisfies State)
      return null
    },
    filter(state, _pod, { node }): Rejection | null {
      const current = stateOf(state)!
      const plan = planVolumes(current, node, options)
      if (typeof plan === 'string') return unresolvable(plan)
      current.plans.set(node.metadata.name, plan)
      return null
    },
    preScore: (state) => [...(stateOf(state)?.plans.values() ?? [])].some((plan) => sizesOf(plan).length > 0),
    score: (state, _pod, { name }: NodeInfo) => scoreFreeSpace(stateOf(state)!.plans.get(name)),
    reserve(state, _pod, node): Rejection | null {
      const current = stateOf(state)
      const plan = current?.plans.get(node)
      if (current !== undefined && plan !== undefined && current.unbound.length > 0)
        current.pending = binder.assume(plan, node)
      return null
    },
    unreserve(state): void {
      const pending = stateOf(state)?.pending
      if (pending) binder.forget(pending)
    },
    willPreBind: (state) => Boolean(stateOf(state)?.pending),
    async preBind(state, pod, node, signal): Promise<Rejection | null> {
      const pending = stateOf(state)?.pending
      if (pending) await binder.bind(pending, pod, node, signal)
      return null
    },
    isHelpedBy,
  }
}

/** The pod's claims, or why one of them cannot be used. */
function readClaims(pod: Pod, claims: Lister<PersistentVolumeClaim>): PersistentVolumeClaim[] | string {
  const found: PersistentVolumeClaim[] = []
  for (const use of claimsOf(pod)) {
    const claim = claims.get(`${pod.metadata.namespace}/${use.name}`)
    const problem = whyUnusable(use, claim, pod)
    if (problem !== null) return problem
    found.push(claim!)
  }
  return found
}

type Sizes = { readonly storageClass: string; readonly requested: number; readonly capacity: number }

/** Volumes that exist count, and only without any of them the space that new ones would come from. */
function sizesOf({ bindings, provisions }: VolumePlan): Sizes[] {
  if (bindings.length > 0)
    return bindings.map(({ claim, volume }) => ({
      storageClass: classOf(volume),
      requested: requestOf(claim),
      capacity: capacityOf(volume),
    }))
  return provisions.flatMap(({ claim, capacityBytes }) =>
    capacityBytes === null
      ? []
      : [{ storageClass: classOf(claim), requested: requestOf(claim), capacity: capacityBytes }],
  )
}

/** The average over the storage classes of the part that stays free. */
function scoreFreeSpace(plan: VolumePlan | undefined): number {
  const byClass = Map.groupBy(plan === undefined ? [] : sizesOf(plan), ({ storageClass }) => storageClass)
  if (byClass.size === 0) return 0
  let total = 0
  for (const sizes of byClass.values()) {
    const requested = sizes.reduce((sum, size) => sum + size.requested, 0)
    const capacity = sizes.reduce((sum, size) => sum + size.capacity, 0)
    if (capacity > 0 && requested <= capacity) total += SCORE_MAX - Math.floor((requested * SCORE_MAX) / capacity)
  }
  return Math.round(total / byClass.size)
}

function isHelpedBy(pod: Pod, { resource, action, object, old }: ClusterEvent): boolean {
  if (action === 'delete') return false
  if (resource === 'claim') return usesClaim(pod, object as PersistentVolumeClaim)
  if (resource === 'storage-capacity')
    return old === undefined || volumeLimit(object as CSIStorageCapacity) > volumeLimit(old as CSIStorageCapacity)
  return resource === 'volume' || resource === 'storage-class' || resource === 'csi-driver' || resource === 'node'
}
