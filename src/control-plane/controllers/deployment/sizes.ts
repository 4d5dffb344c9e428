/** The arithmetic of a rolling update: how many pods there may be, and how many each ReplicaSet gets. Pure. */
import type { Deployment, ReplicaSet } from '#api/apps/v1.gen.ts'
import { DESIRED_REPLICAS, MAX_REPLICAS } from './revisions.ts'

export const replicasOf = (object: Deployment | ReplicaSet): number => object.spec.replicas ?? 1
export const sumReplicas = (sets: readonly ReplicaSet[]): number => sets.reduce((sum, set) => sum + replicasOf(set), 0)
export const sumAvailable = (sets: readonly ReplicaSet[]): number =>
  sets.reduce((sum, set) => sum + (set.status?.availableReplicas ?? 0), 0)

export type Bounds = { readonly surge: number; readonly unavailable: number }

/** maxSurge is rounded up, maxUnavailable down; both zero would never move, so then one may be unavailable. */
export function boundsOf(deployment: Deployment): Bounds {
  if (deployment.spec.strategy?.type === 'Recreate') return { surge: 0, unavailable: 0 }
  const { maxSurge = '25%', maxUnavailable = '25%' } = deployment.spec.strategy?.rollingUpdate ?? {}
  const desired = replicasOf(deployment)
  const surge = resolve(maxSurge, desired, Math.ceil)
  const unavailable = Math.min(desired, resolve(maxUnavailable, desired, Math.floor))
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable }
}

function resolve(value: number | string, total: number, round: (value: number) => number): number {
  if (typeof value === 'number') return value
  return value.endsWith('%') ? round((Number(value.slice(0, -1)) * total) / 100) : Number(value)
}

/** Replicas of the newest ReplicaSet after this step. */
export function newSetSize(deployment: Deployment, sets: readonly ReplicaSet[], current: number): number {
  const desired = replicasOf(deployment)
  if (deployment.spec.strategy?.type === 'Recreate') return desired
  const room = desired + boundsOf(deployment).surge - sumReplicas(sets)
  return room <= 0 ? current : current + Math.min(room, desired - current)
}

export type Resize = { readonly set: ReplicaSet; readonly replicas: number }

/** How old ReplicaSets shrink in one step: first pods that do not work anyway, then as many as stay available without them. */
export function planOldSets(deployment: Deployment, newest: ReplicaSet, old: readonly ReplicaSet[]): Resize[] {
  const sets = [...old, newest]
  if (sumReplicas(old) === 0) return []
  const minAvailable = replicasOf(deployment) - boundsOf(deployment).unavailable
  const newUnavailable = replicasOf(newest) - (newest.status?.availableReplicas ?? 0)
  let budget = sumReplicas(sets) - minAvailable - newUnavailable
  if (budget <= 0) return []
  const sizes = new Map(old.map((set) => [set, replicasOf(set)]))
  for (const set of byCreation(old)) {
    if (budget <= 0) break
    const unhealthy = Math.min(budget, sizes.get(set)! - (set.status?.availableReplicas ?? 0))
    if (unhealthy <= 0) continue
    sizes.set(set, sizes.get(set)! - unhealthy)
    budget -= unhealthy
  }
  let spare = sumAvailable(sets) - minAvailable
  for (const set of byCreation(old)) {
    if (spare <= 0) break
    const shrink = Math.min(spare, sizes.get(set)!)
    sizes.set(set, sizes.get(set)! - shrink)
    spare -= shrink
  }
  return [...sizes]
    .filter(([set, replicas]) => replicas !== replicasOf(set))
    .map(([set, replicas]) => ({ set, replicas }))
}

export function byCreation(sets: readonly ReplicaSet[]): ReplicaSet[] {
  return sets.toSorted(
    (a, b) =>
      Date.parse(a.metadata.creationTimestamp) - Date.parse(b.metadata.creationTimestamp) ||
      (a.metadata.name < b.metadata.name ? -1 : 1),
  )
}

/** The Deployment's size changed since its active ReplicaSets were sized: that is a scaling, not a rollout. */
export function isScaling(deployment: Deployment, sets: readonly ReplicaSet[]): boolean {
  const desired = String(replicasOf(deployment))
  return sets.some((set) => {
    const sizedFor = set.metadata.annotations?.[DESIRED_REPLICAS]
    return replicasOf(set) > 0 && sizedFor !== undefined && sizedFor !== desired
  })
}

/** In the middle of a rollout a change of size is shared out in proportion, so that a bad rollout does not grow alone. */
export function planScaling(deployment: Deployment, newest: ReplicaSet | null, old: readonly ReplicaSet[]): Resize[] {
  const sets = newest === null ? [...old] : [...old, newest]
  const active = sets.filter((set) => replicasOf(set) > 0)
  const desired = replicasOf(deployment)
  const only = active.length === 1 ? active[0] : active.length === 0 ? (newest ?? byCreation(old).at(-1)) : undefined
  if (only !== undefined) return replicasOf(only) === desired ? [] : [{ set: only, replicas: desired }]
  if (newest !== null && replicasOf(newest) === desired && (newest.status?.availableReplicas ?? 0) === desired)
    return active.filter((set) => set !== newest).map((set) => ({ set, replicas: 0 }))
  return deployment.spec.strategy?.type === 'Recreate' ? [] : shareOut(deployment, active)
}

function shareOut(deployment: Deployment, active: readonly ReplicaSet[]): Resize[] {
  const total = sumReplicas(active)
  const desired = replicasOf(deployment)
  const allowed = desired === 0 ? 0 : desired + boundsOf(deployment).surge
  let toAdd = allowed - total
  if (toAdd === 0) return []
  // Larger sets first; of equals the newest first when growing, the oldest first when shrinking.
  const ordered = active.toSorted(
    (a, b) =>
      replicasOf(b) - replicasOf(a) ||
      (toAdd > 0 ? -1 : 1) * (Date.parse(a.metadata.creationTimestamp) - Date.parse(b.metadata.creationTimestamp)),
  )
  const sizes = new Map<ReplicaSet, number>()
  for (const set of ordered) {
    const share = toAdd === 0 ? 0 : shareOf(set, allowed, total, toAdd)
    sizes.set(set, replicasOf(set) + share)
    toAdd -= share
  }
  const [largest] = ordered
  sizes.set(largest!, Math.max(0, sizes.get(largest!)! + toAdd))
  return [...sizes].map(([set, replicas]) => ({ set, replicas }))
}

function shareOf(set: ReplicaSet, allowed: number, total: number, left: number): number {
  const sizedFor = Number(set.metadata.annotations?.[MAX_REPLICAS] ?? total) || total
  const fraction = Math.round((replicasOf(set) * allowed) / sizedFor) - replicasOf(set)
  return left > 0 ? Math.min(Math.max(fraction, 0), left) : Math.max(Math.min(fraction, 0), left)
}
