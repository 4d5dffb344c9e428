/** How often the template of a DaemonSet has changed: a field once, kept in an annotation since. */
import type { DaemonSet } from '#api/apps/v1.gen.ts'

const ANNOTATION = 'deprecated.daemonset.template.generation'

export function templateGenerationOf({ metadata }: DaemonSet): number {
  return Number(metadata.annotations?.[ANNOTATION] ?? '0')
}

export function setTemplateGeneration({ metadata }: DaemonSet, generation: number): void {
  metadata.annotations = { ...metadata.annotations, [ANNOTATION]: String(generation) }
}
