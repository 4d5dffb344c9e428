/** Keeps pods off nodes that cannot attach more volumes of a CSI driver. */
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '#api/core/v1.gen.ts'
import { classOf } from '#api/core/persistent-volume/binding.ts'
import { claimsOf } from '#api/core/pod/claims.ts'
import type { CSINode, StorageClass } from '#api/storage/v1.gen.ts'
import type { NodeInfo } from '../cache/node-info.ts'
import {
  unschedulable,
  type ClusterEvent,
  type CycleState,
  type Plugin,
  type PreFilterResult,
  type Rejection,
} from '../framework.ts'
import type { Lister } from '../lister.ts'
import { usesClaim } from '../volumes/pod-claims.ts'

export type NodeVolumeLimitsOptions = {
  readonly claims: Lister<PersistentVolumeClaim>
  readonly volumes: Lister<PersistentVolume>
  readonly classes: Lister<StorageClass>
  readonly csiNodes: Lister<CSINode>
}

/** Volume -> its driver. */
type Volumes = Map<string, string>

const STATE_KEY = 'NodeVolumeLimits'

export function createNodeVolumeLimits(options: NodeVolumeLimitsOptions): Plugin {
  return {
    name: 'NodeVolumeLimits',
    preFilter(state: CycleState, pod: Pod): PreFilterResult | null {
      const volumes = volumesOf(pod, options)
      if (volumes.size === 0) return { skipFilter: true }
      state.set(STATE_KEY, volumes)
      return null
    },
    filter(state: CycleState, _pod: Pod, node: NodeInfo): Rejection | null {
      const limits = limitsOf(options.csiNodes.get(node.name))
      if (limits.size === 0) return null
      const wanted = state.get(STATE_KEY) as Volumes
      const attached: Volumes = new Map()
      for (const info of node.pods())
        for (const [volume, driver] of volumesOf(info.pod, options)) attached.set(volume, driver)
      for (const [driver, limit] of limits) {
        const more = countOf(
          driver,
          [...wanted].filter(([volume]) => !attached.has(volume)),
        )
        if (more > 0 && countOf(driver, attached) + more > limit)
          return unschedulable('node(s) exceed max volume count')
      }
      return null
    },
    isHelpedBy(pod: Pod, { resource, action, object }: ClusterEvent): boolean {
      if (resource === 'assigned-pod') return action === 'delete' && claimsOf(object as Pod).length > 0
      if (resource === 'claim') return action !== 'delete' && usesClaim(pod, object as PersistentVolumeClaim)
      return action !== 'delete' && (resource === 'csi-node' || resource === 'node')
    },
  }
}

function limitsOf(csiNode: CSINode | undefined): Map<string, number> {
  return new Map(
    csiNode?.spec.drivers.flatMap(({ name, allocatable }) =>
      allocatable?.count === undefined ? [] : [[name, allocatable.count] as const],
    ),
  )
}

const countOf = (driver: string, volumes: Iterable<readonly [string, string]>): number =>
  [...volumes].filter(([, other]) => other === driver).length

/** The CSI volumes of a pod; a claim that has no volume yet stands for the one its class will give it. */
function volumesOf(pod: Pod, { claims, volumes, classes }: NodeVolumeLimitsOptions): Volumes {
  const found: Volumes = new Map()
  for (const { name } of claimsOf(pod)) {
    const key = `${pod.metadata.namespace}/${name}`
    const claim = claims.get(key)
    if (claim === undefined) continue
    const csi = volumes.get(claim.spec.volumeName ?? '')?.spec.csi
    const driver = csi?.driver ?? (claim.spec.volumeName ? undefined : classes.get(classOf(claim))?.provisioner)
    if (driver !== undefined) found.set(`${driver} ${csi?.volumeHandle ?? key}`, driver)
  }
  return found
}
