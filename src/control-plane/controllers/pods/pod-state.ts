/** What controllers ask of a pod: is it active, ready, available. */
import type { Pod } from '#api/core/v1.gen.ts'

/** Neither finished nor about to go. */
export function isPodActive({ metadata, status }: Pod): boolean {
  return metadata.deletionTimestamp === undefined && !isPodTerminal({ status })
}

export function isPodTerminal({ status }: { status?: Pod['status'] | undefined }): boolean {
  return status?.phase === 'Succeeded' || status?.phase === 'Failed'
}

export function isPodReady({ status }: Pod): boolean {
  return status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') ?? false
}

/** When the pod became ready, in milliseconds; null while it is not. */
export function readySince({ status }: Pod): number | null {
  const condition = status?.conditions?.find(({ type }) => type === 'Ready')
  return condition?.status === 'True' && condition.lastTransitionTime !== undefined
    ? Date.parse(condition.lastTransitionTime)
    : null
}

/** Ready for at least `minReadySeconds`. */
export function isPodAvailable(pod: Pod, minReadySeconds: number, nowMs: number): boolean {
  if (!isPodReady(pod)) return false
  if (minReadySeconds === 0) return true
  const since = readySince(pod)
  return since !== null && since + minReadySeconds * 1000 <= nowMs
}
