/** Revisions and the annotations that carry them: what `kubectl rollout history` and `undo` read. */
import type { Deployment, ReplicaSet } from '#api/apps/v1.gen.ts'

export const REVISION = 'deployment.kubernetes.io/revision'
const REVISION_HISTORY = 'deployment.kubernetes.io/revision-history'
export const DESIRED_REPLICAS = 'deployment.kubernetes.io/desired-replicas'
export const MAX_REPLICAS = 'deployment.kubernetes.io/max-replicas'
const HISTORY_LENGTH_MAX = 2000

/** Annotations of a Deployment that its ReplicaSets do not get. */
const NOT_COPIED = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  REVISION,
  REVISION_HISTORY,
  DESIRED_REPLICAS,
  MAX_REPLICAS,
  'deprecated.deployment.rollback.to',
])

type Annotations = Readonly<Record<string, string>>

export function revisionOf({ metadata }: { metadata: { annotations?: Annotations } }): number {
  const text = metadata.annotations?.[REVISION] ?? ''
  return /^\d+$/.test(text) ? Number(text) : 0
}

export const maxRevision = (sets: readonly ReplicaSet[]): number => Math.max(0, ...sets.map(revisionOf))

/** Annotations of the newest ReplicaSet: the Deployment's, its revision, and the revisions it had before. */
export function newSetAnnotations(
  deployment: Deployment,
  set: ReplicaSet | null,
  revision: number,
  isNew: boolean,
): Record<string, string> {
  const annotations: Record<string, string> = { ...set?.metadata.annotations }
  for (const [key, value] of Object.entries(deployment.metadata.annotations ?? {}))
    if (!NOT_COPIED.has(key)) annotations[key] = value
  const old = annotations[REVISION]
  if (old === undefined || Number(old) < revision) {
    annotations[REVISION] = String(revision)
    if (old !== undefined && !isNew) annotations[REVISION_HISTORY] = appendHistory(annotations[REVISION_HISTORY], old)
  }
  return annotations
}

/** The oldest entries leave when the annotation would grow too long. */
function appendHistory(history: string | undefined, revision: string): string {
  const entries = [...(history === undefined || history === '' ? [] : history.split(',')), revision]
  while (entries.join(',').length > HISTORY_LENGTH_MAX) entries.shift()
  return entries.join(',')
}

/** What the set was sized for: a later change of the Deployment's size shows by the difference. */
export function sizeAnnotations(desired: number, max: number): Record<string, string> {
  return { [DESIRED_REPLICAS]: String(desired), [MAX_REPLICAS]: String(max) }
}
