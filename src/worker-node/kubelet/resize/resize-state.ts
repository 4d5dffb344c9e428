/** How far the resize of a pod is, as its conditions and events tell it. */
import type { Pod } from '#api/core/v1.gen.ts'
import type { Refusal } from './check-resize.ts'

export const RESIZE_CONDITIONS = ['PodResizePending', 'PodResizeInProgress'] as const

export type ResizeState = {
  /** The node has not promised what the pod asks for. */
  readonly pending: (Refusal & { readonly generation: number }) | null
  /** Promised, but not in force yet; with the reason where it cannot be. */
  readonly inProgress: { readonly generation: number; readonly error: string | null } | null
}

export const NO_RESIZE: ResizeState = { pending: null, inProgress: null }

export const generationOf = (pod: Pod): number => pod.metadata.generation ?? 0

/** Upstream's text: the resources in question behind a few words. */
export function resizeMessage(words: string, pod: Pod, error?: string): string {
  const list = (containers: Pod['spec']['containers'] = []): object[] =>
    containers.map(({ name, resources = {} }) => ({ name, resources }))
  const init = list(pod.spec.initContainers)
  const summary = {
    ...(init.length > 0 && { initContainers: init }),
    containers: list(pod.spec.containers),
    generation: generationOf(pod),
    ...(error !== undefined && { error }),
  }
  return `${words}: ${JSON.stringify(summary)}`
}
