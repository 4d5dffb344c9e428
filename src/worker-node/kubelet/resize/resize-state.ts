/** How far the resize of a pod is, as its conditions and events tell it. */
import type { Pod, PodCondition } from '#api/core/v1.gen.ts'

export const RESIZE_CONDITIONS = ['PodResizePending', 'PodResizeInProgress'] as const

export type ResizeState = {
  /** The node has not promised what the pod asks for. */
  readonly pending: { readonly reason: string; readonly message: string; readonly generation: number } | null
  /** Promised, but not in force yet; with the reason where it cannot be. */
  readonly inProgress: { readonly generation: number; readonly error: string | null } | null
}

/** What an earlier run of the kubelet told: this one carries on from there, and nobody hears the same twice. */
export function resizeStateOf({ status }: Pod): ResizeState {
  const of = (type: (typeof RESIZE_CONDITIONS)[number]): PodCondition | undefined =>
    status?.conditions?.find((condition) => condition.type === type)
  const [pending, inProgress] = [of('PodResizePending'), of('PodResizeInProgress')]
  return {
    pending: pending
      ? { reason: pending.reason ?? '', message: pending.message ?? '', generation: pending.observedGeneration ?? 0 }
      : null,
    inProgress: inProgress
      ? { generation: inProgress.observedGeneration ?? 0, error: inProgress.reason ? (inProgress.message ?? '') : null }
      : null,
  }
}

export const generationOf = (pod: Pod): number => pod.metadata.generation ?? 0

/** Upstream's text: the resources in question behind a few words. */
export function resizeMessage(
  words: string,
  pod: Pod,
  { generation = generationOf(pod), error }: { readonly generation?: number; readonly error?: string } = {},
): string {
  const list = (containers: Pod['spec']['containers'] = []): object[] =>
    containers.map(({ name, resources = {} }) => ({ name, resources }))
  const init = list(pod.spec.initContainers)
  const summary = {
    ...(init.length > 0 && { initContainers: init }),
    containers: list(pod.spec.containers),
    generation,
    ...(error !== undefined && { error }),
  }
  return `${words}: ${JSON.stringify(summary)}`
}
