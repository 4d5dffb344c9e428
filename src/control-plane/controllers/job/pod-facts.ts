/** What the Job controller reads from a pod: its index, whether it counts as failed, when it ended. */
import type { Job } from '#api/batch/v1.gen.ts'
import type { ContainerStatus, Pod } from '#api/core/v1.gen.ts'

/** Holds a finished pod until it is counted in the Job's status. */
export const TRACKING_FINALIZER = 'batch.kubernetes.io/job-tracking'
export const INDEX_KEY = 'batch.kubernetes.io/job-completion-index'
export const INDEX_FAILURES_KEY = 'batch.kubernetes.io/job-index-failure-count'
export const INDEX_IGNORED_FAILURES_KEY = 'batch.kubernetes.io/job-index-ignored-failure-count'

export const hasTracking = ({ metadata }: Pod): boolean => metadata.finalizers?.includes(TRACKING_FINALIZER) ?? false

/** -1 when the pod has none. */
export function indexOf({ metadata }: Pod): number {
  const text = metadata.annotations?.[INDEX_KEY]
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : -1
}

/** A pod that is deleted before it could fail counts as failed, unless the Job waits for real failures. */
export function isPodFailed({ metadata, status }: Pod, { spec }: Job): boolean {
  if (status?.phase === 'Failed') return true
  if (spec.podReplacementPolicy === 'Failed') return false
  return metadata.deletionTimestamp !== undefined && status?.phase !== 'Succeeded'
}

export const isIndexed = ({ spec }: Job): boolean => spec.completionMode === 'Indexed'

/** Milliseconds since the epoch. */
export function finishedAt(pod: Pod): number {
  const { metadata, spec, status } = pod
  const sidecars = new Set(
    (spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always').map(({ name }) => name),
  )
  const containers = [
    ...(status?.containerStatuses ?? []),
    ...(status?.initContainerStatuses ?? []).filter(({ name }) => sidecars.has(name)),
  ]
  const notReady = status?.conditions?.find((condition) => condition.type === 'Ready' && condition.status === 'False')
  const fallback =
    notReady?.lastTransitionTime ??
    (metadata.deletionTimestamp === undefined ? metadata.creationTimestamp : deletionRequestedAt(pod))
  return latestEnd(containers) ?? Date.parse(fallback)
}

function deletionRequestedAt({ metadata }: Pod): string {
  const end = Date.parse(metadata.deletionTimestamp ?? '')
  return new Date(end - (metadata.deletionGracePeriodSeconds ?? 0) * 1000).toISOString()
}

/** Null unless all have ended. */
function latestEnd(containers: readonly ContainerStatus[]): number | null {
  const ends = containers.map(({ state }) => Date.parse(state?.terminated?.finishedAt ?? ''))
  return ends.length === 0 || ends.some(Number.isNaN) ? null : Math.max(...ends)
}
