/** Keeps a pod in the zone and region that the labels of its bound volumes name. */
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '#api/core/v1.gen.ts'
import { classOf } from '#api/core/persistent-volume/binding.ts'
import { claimsOf } from '#api/core/pod/claims.ts'
import type { StorageClass } from '#api/storage/v1.gen.ts'
import type { NodeInfo } from '../cache/node-info.ts'
import {
  unresolvable,
  type ClusterEvent,
  type CycleState,
  type Plugin,
  type PreFilterResult,
  type Rejection,
} from '../framework.ts'
import type { Lister } from '../lister.ts'
import { usesClaim } from '../volumes/pod-claims.ts'

export type VolumeZoneOptions = {
  readonly claims: Lister<PersistentVolumeClaim>
  readonly volumes: Lister<PersistentVolume>
  readonly classes: Lister<StorageClass>
}

type Place = { readonly key: string; readonly values: readonly string[] }

const STATE_KEY = 'VolumeZone'
/** Each label with the name that took its place. */
const LABELS: ReadonlyMap<string, string> = new Map([
  ['failure-domain.beta.kubernetes.io/zone', 'topology.kubernetes.io/zone'],
  ['failure-domain.beta.kubernetes.io/region', 'topology.kubernetes.io/region'],
  ['topology.kubernetes.io/zone', 'topology.kubernetes.io/zone'],
  ['topology.kubernetes.io/region', 'topology.kubernetes.io/region'],
])

export function createVolumeZone(options: VolumeZoneOptions): Plugin {
  return {
    name: 'VolumeZone',
    preFilter(state: CycleState, pod: Pod): PreFilterResult | null {
      const places: Place[] = []
      for (const { name, isEphemeral } of claimsOf(pod)) {
        if (isEphemeral) continue
        const found = placesOf(`${pod.metadata.namespace}/${name}`, name, options)
        if (typeof found === 'string') return { rejection: unresolvable(found) }
        places.push(...found)
      }
      if (places.length === 0) return { skipFilter: true }
      state.set(STATE_KEY, places)
      return null
    },
    filter(state: CycleState, _pod: Pod, { node }: NodeInfo): Rejection | null {
      const labels = node.metadata.labels ?? {}
      // A cluster in one place may name no zones at all.
      if (![...LABELS.keys()].some((label) => labels[label] !== undefined)) return null
      const isThere = (state.get(STATE_KEY) as Place[]).every(({ key, values }) =>
        values.includes(labels[key] ?? labels[LABELS.get(key)!] ?? ''),
      )
      return isThere ? null : unresolvable('node(s) had no available volume zone')
    },
    isHelpedBy(pod: Pod, { resource, action, object }: ClusterEvent): boolean {
      if (action === 'delete') return false
      if (resource === 'claim') return usesClaim(pod, object as PersistentVolumeClaim)
      return resource === 'volume' || resource === 'node' || (resource === 'storage-class' && action === 'add')
    },
  }
}

/** Where the volume of the claim is; nowhere yet while it waits for the pod's node. A text says what is missing. */
function placesOf(key: string, name: string, { claims, volumes, classes }: VolumeZoneOptions): Place[] | string {
  const claim = claims.get(key)
  if (claim === undefined) return `persistentvolumeclaim ${JSON.stringify(name)} not found`
  const volumeName = claim.spec.volumeName ?? ''
  if (volumeName === '') {
    const className = classOf(claim)
    if (className === '') return 'PersistentVolumeClaim had no pv name and storageClass name'
    const storageClass = classes.get(className)
    if (storageClass === undefined) return `storageclass.storage.k8s.io ${JSON.stringify(className)} not found`
    return storageClass.volumeBindingMode === 'WaitForFirstConsumer' ? [] : 'PersistentVolume had no name'
  }
  const volume = volumes.get(volumeName)
  if (volume === undefined) return `persistentvolume ${JSON.stringify(volumeName)} not found`
  return [...LABELS.keys()].flatMap((label) => {
    const value = volume.metadata.labels?.[label]
    // A volume in several zones joins their names.
    return value === undefined ? [] : [{ key: label, values: value.split('__') }]
  })
}
