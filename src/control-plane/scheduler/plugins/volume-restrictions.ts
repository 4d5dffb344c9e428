/** Keeps two pods from using a disk, or a ReadWriteOncePod claim, that only one of them may use. */
import type { PersistentVolumeClaim, Pod, Volume } from '#api/core/v1.gen.ts'
import { claimsOf } from '#api/core/pod/claims.ts'
import type { NodeInfo } from '../cache/node-info.ts'
import {
  unresolvable,
  unschedulable,
  type ClusterEvent,
  type CycleState,
  type Plugin,
  type PodChange,
  type PreFilterResult,
  type Rejection,
  type Snapshot,
} from '../framework.ts'
import type { Lister } from '../lister.ts'
import { usesClaim } from '../volumes/pod-claims.ts'

/** `users`: how many pods in the cluster use one of the claims already. */
type State = { readonly exclusiveClaims: ReadonlySet<string>; readonly users: number }

const STATE_KEY = 'VolumeRestrictions'

export function createVolumeRestrictions({ claims }: { readonly claims: Lister<PersistentVolumeClaim> }): Plugin {
  return {
    name: 'VolumeRestrictions',
    preFilter(state: CycleState, pod: Pod, snapshot: Snapshot): PreFilterResult | null {
      const exclusiveClaims = new Set<string>()
      for (const name of namedClaims(pod)) {
        const claim = claims.get(`${pod.metadata.namespace}/${name}`)
        if (claim === undefined)
          return { rejection: unresolvable(`persistentvolumeclaim ${JSON.stringify(name)} not found`) }
        if (claim.spec.accessModes?.includes('ReadWriteOncePod')) exclusiveClaims.add(name)
      }
      if (exclusiveClaims.size === 0 && disksOf(pod).length === 0) return { skipFilter: true }
      let users = 0
      if (exclusiveClaims.size > 0)
        for (const node of snapshot.nodes())
          for (const info of node.pods()) users += countUses(exclusiveClaims, pod, info.pod)
      state.set(STATE_KEY, { exclusiveClaims, users } satisfies State)
      return null
    },
    filter(state: CycleState, pod: Pod, node: NodeInfo): Rejection | null {
      if (hasDiskConflict(pod, node)) return unschedulable('node(s) had no available disk')
      return (state.get(STATE_KEY) as State).users > 0
        ? unschedulable('node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode')
        : null
    },
    withPod(state: CycleState, pod: Pod, { info, sign }: PodChange): void {
      const { exclusiveClaims, users } = state.get(STATE_KEY) as State
      const changed: State = { exclusiveClaims, users: users + sign * countUses(exclusiveClaims, pod, info.pod) }
      state.set(STATE_KEY, changed)
    },
    isHelpedBy(pod: Pod, { resource, action, object }: ClusterEvent): boolean {
      if (resource === 'claim') return action !== 'delete' && usesClaim(pod, object as PersistentVolumeClaim)
      if (resource === 'node') return action !== 'delete'
      return resource === 'assigned-pod' && action === 'delete' && ((object as Pod).spec.volumes?.length ?? 0) > 0
    },
  }
}

/** A claim that a pod brings with it is its own. */
const namedClaims = (pod: Pod): string[] =>
  claimsOf(pod)
    .filter(({ isEphemeral }) => !isEphemeral)
    .map(({ name }) => name)

function countUses(claims: ReadonlySet<string>, pod: Pod, other: Pod): number {
  if (other.metadata.namespace !== pod.metadata.namespace) return 0
  return namedClaims(other).filter((name) => claims.has(name)).length
}

const disksOf = (pod: Pod): Volume[] =>
  (pod.spec.volumes ?? []).filter(
    (volume) => volume.gcePersistentDisk ?? volume.awsElasticBlockStore ?? volume.iscsi ?? volume.rbd,
  )

function hasDiskConflict(pod: Pod, node: NodeInfo): boolean {
  const disks = disksOf(pod)
  if (disks.length === 0) return false
  return [...node.pods()].some((info) => disksOf(info.pod).some((other) => disks.some((disk) => clashes(disk, other))))
}

/** The same disk; where the kind of disk allows it, both may read. */
function clashes(a: Volume, b: Volume): boolean {
  if (a.gcePersistentDisk !== undefined && b.gcePersistentDisk !== undefined)
    return (
      a.gcePersistentDisk.pdName === b.gcePersistentDisk.pdName && !bothRead(a.gcePersistentDisk, b.gcePersistentDisk)
    )
  if (a.awsElasticBlockStore !== undefined && b.awsElasticBlockStore !== undefined)
    return a.awsElasticBlockStore.volumeID === b.awsElasticBlockStore.volumeID
  if (a.iscsi !== undefined && b.iscsi !== undefined) return a.iscsi.iqn === b.iscsi.iqn && !bothRead(a.iscsi, b.iscsi)
  if (a.rbd === undefined || b.rbd === undefined) return false
  const [left, right] = [a.rbd, b.rbd]
  return (
    left.monitors.some((monitor) => right.monitors.includes(monitor)) &&
    (left.pool ?? 'rbd') === (right.pool ?? 'rbd') &&
    left.image === right.image &&
    !bothRead(left, right)
  )
}

const bothRead = (a: { readOnly?: boolean }, b: { readOnly?: boolean }): boolean =>
  a.readOnly === true && b.readOnly === true
