/** How writes of PodTemplates are prepared and checked. */
import type { PodTemplate } from '#api/core/v1.gen.ts'
import type { Strategy } from '#api/kind.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import { bumpGeneration } from '#api/strategies.ts'

export const podTemplateStrategy: Strategy<PodTemplate> = {
  prepareForCreate(podTemplate) {
    podTemplate.metadata.generation = 1
  },
  prepareForUpdate(podTemplate, old) {
    if (!isSemanticallyEqual(podTemplate.template, old.template)) bumpGeneration(podTemplate, old)
  },
}
