/** How writes of PodTemplates are prepared and checked. */
import type { PodTemplate } from '#api/core/v1.gen.ts'
import type { FeatureGates } from '#base/feature-gates.ts'
import { setPodTemplateDefaults } from '#api/core/pod-spec/defaults.ts'
import { dropDisabledTemplateFields } from '#api/core/pod-spec/drop-disabled.ts'
import { setHttpProtocols } from '#api/core/pod-spec/http-protocol.ts'
import { podValidationOptions } from '#api/core/pod-spec/options.ts'
import { validatePodTemplateSpec } from '#api/core/pod-spec/validation.ts'
import { podTemplateWarnings } from '#api/core/pod-spec/warnings.ts'
import type { Strategy } from '#api/kind.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import { bumpGeneration } from '#api/strategies.ts'
import type { FieldError } from '#machinery/field-error.ts'

export const podTemplateStrategy: Strategy<PodTemplate> = {
  setDefaults(podTemplate, _nowMs, features) {
    setPodTemplateDefaults((podTemplate.template ??= {}))
    setHttpProtocols(podTemplate.template.spec, features)
  },
  prepareForCreate(podTemplate, { features }) {
    podTemplate.metadata.generation = 1
    if (podTemplate.template) dropDisabledTemplateFields(podTemplate.template, undefined, features)
  },
  prepareForUpdate(podTemplate, old, { features }) {
    if (podTemplate.template) dropDisabledTemplateFields(podTemplate.template, old.template, features)
    if (!isSemanticallyEqual(podTemplate.template, old.template)) bumpGeneration(podTemplate, old)
  },
  validate: (podTemplate, { features }) => validatePodTemplate(podTemplate, null, features),
  validateUpdate: (podTemplate, old, { features }) => validatePodTemplate(podTemplate, old, features),
  warnings(podTemplate, old) {
    const isOfInterest = old === null || podTemplate.metadata.generation !== old.metadata.generation
    return isOfInterest ? podTemplateWarnings(podTemplate.template, 'template') : []
  },
}

function validatePodTemplate(
  { template = {} }: PodTemplate,
  old: PodTemplate | null,
  features: FeatureGates,
): FieldError[] {
  const errors: FieldError[] = []
  const options = podValidationOptions(old?.template ?? null, false, features)
  validatePodTemplateSpec(errors, template, { path: 'template', options })
  return errors
}
