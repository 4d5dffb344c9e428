/** How often the template of a DaemonSet has changed: a field once, kept in an annotation since. */
import type { DaemonSet } from '#api/apps/v1.gen.ts'

export const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation'

export function templateGenerationOf({ metadata }: DaemonSet): number {
  return Number(metadata.annotations?.[TEMPLATE_GENERATION] ?? '0')
}

export function setTemplateGeneration({ metadata }: DaemonSet, generation: number): void {
  metadata.annotations = { ...metadata.annotations, [TEMPLATE_GENERATION]: String(generation) }
}
