/** Which old ReplicaSets go: all beyond the history that the Deployment wants to keep. Pure. */
import type { Deployment, ReplicaSet } from '#api/apps/v1.gen.ts'
import { revisionOf } from './revisions.ts'
import { replicasOf } from './sizes.ts'

export function planCleanup(deployment: Deployment, old: readonly ReplicaSet[]): ReplicaSet[] {
  const limit = deployment.spec.revisionHistoryLimit
  if (limit === undefined || limit === 2 ** 31 - 1) return []
  const living = old.filter(({ metadata }) => metadata.deletionTimestamp === undefined)
  const surplus = living.length - limit
  if (surplus <= 0) return []
  return living
    .toSorted((a, b) => revisionOf(a) - revisionOf(b))
    .slice(0, surplus)
    .filter(
      (set) =>
        replicasOf(set) === 0 &&
        (set.status?.replicas ?? 0) === 0 &&
        (set.metadata.generation ?? 0) <= (set.status?.observedGeneration ?? 0),
    )
}
