/** Decides, for a pod and a node, which volumes its claims get: those that exist, or new ones that a provisioner makes there. */
import type { Node, PersistentVolume, PersistentVolumeClaim, TopologySelectorTerm } from '#api/core/v1.gen.ts'
import { classOf, requestOf, SELECTED_NODE } from '#api/core/persistent-volume/binding.ts'
import type { CSIDriver, CSIStorageCapacity, StorageClass } from '#api/storage/v1.gen.ts'
import { quantityToNumber } from '#machinery/quantity.ts'
import { matcherOf } from '#machinery/selectors/label-selector.ts'
import type { Lister } from '../lister.ts'
import { findMatchingVolume, isReachableFrom } from './match-volume.ts'

export type StorageListers = {
  readonly classes: Lister<StorageClass>
  readonly drivers: Lister<CSIDriver>
  readonly capacities: Lister<CSIStorageCapacity>
}

/** The claims of a pod; a bound claim whose volume is not there has undefined. */
export type PodClaims = {
  readonly boundVolumes: readonly (PersistentVolume | undefined)[]
  /** In the order of size: small claims leave the large volumes to others. */
  readonly unbound: readonly PersistentVolumeClaim[]
  readonly volumes: readonly PersistentVolume[]
}

export type StaticBinding = { readonly claim: PersistentVolumeClaim; readonly volume: PersistentVolume }
export type Provision = { readonly claim: PersistentVolumeClaim; readonly capacityBytes: number | null }
export type VolumePlan = { readonly bindings: readonly StaticBinding[]; readonly provisions: readonly Provision[] }

const NO_PROVISIONER = 'kubernetes.io/no-provisioner'
const [NODE_CONFLICT, NO_VOLUME, NO_SPACE, NOT_THERE] = [
  'node(s) had volume node affinity conflict',
  "node(s) didn't find available persistent volumes to bind",
  'node(s) did not have enough free storage',
  'node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)',
] as const

/** The plan, or why the pod's volumes and the node do not go together. */
export function planVolumes(claims: PodClaims, node: Node, listers: StorageListers): VolumePlan | string {
  for (const volume of claims.boundVolumes) {
    if (volume === undefined) return NOT_THERE
    if (!isReachableFrom(volume, node)) return NODE_CONFLICT
  }
  const [bindings, provisions]: [StaticBinding[], Provision[]] = [[], []]
  const taken = new Set<string>()
  for (const claim of claims.unbound) {
    const chosen = claim.metadata.annotations?.[SELECTED_NODE]
    if (chosen !== undefined && chosen !== node.metadata.name) return NO_VOLUME
    const volume = chosen === undefined ? findMatchingVolume(claim, claims.volumes, node, taken) : undefined
    if (volume === undefined) {
      const provision = planProvision(claim, node, listers)
      if (typeof provision === 'string') return provision
      provisions.push(provision)
    } else {
      taken.add(volume.metadata.name)
      bindings.push({ claim, volume })
    }
  }
  return { bindings, provisions }
}

function planProvision(claim: PersistentVolumeClaim, node: Node, listers: StorageListers): Provision | string {
  const storageClass = listers.classes.get(classOf(claim))
  if (!storageClass?.provisioner || storageClass.provisioner === NO_PROVISIONER) return NO_VOLUME
  if (!matchesTopology(storageClass.allowedTopologies, node)) return NO_VOLUME
  // Only drivers that report their capacity are asked for it.
  if (listers.drivers.get(storageClass.provisioner)?.spec.storageCapacity !== true)
    return { claim, capacityBytes: null }
  const capacity = listers.capacities
    .list()
    .filter(
      ({ storageClassName, nodeTopology }) =>
        storageClassName === storageClass.metadata.name && matcherOf(nodeTopology).matches(node.metadata.labels),
    )
    .find((candidate) => volumeLimit(candidate) >= requestOf(claim))
  return capacity === undefined ? NO_SPACE : { claim, capacityBytes: quantityToNumber(capacity.capacity ?? '0') }
}

/** How large a new volume may be; the largest size is more exact than the free space. */
export function volumeLimit({ capacity, maximumVolumeSize }: CSIStorageCapacity): number {
  const limit = maximumVolumeSize ?? capacity
  return limit === undefined ? -1 : quantityToNumber(limit)
}

function matchesTopology(terms: readonly TopologySelectorTerm[] = [], { metadata }: Node): boolean {
  if (terms.length === 0) return true
  return terms.some((term) =>
    (term.matchLabelExpressions ?? []).every(({ key, values }) => values.includes(metadata.labels?.[key] ?? '')),
  )
}
