/** Makes a claim for devices for each pod that names it. */
import { defineKind } from '#api/define-kind.ts'
import type { Strategy } from '#api/kind.ts'
import type { ResourceClaimTemplate } from '#api/resource/v1.gen.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import { formatAge } from '#api/table-cells.ts'
import { checkAnnotations, checkLabels, IMMUTABLE } from '#api/validation.ts'
import type { FeatureGates } from '#base/feature-gates.ts'
import { type FieldError, invalidValue } from '#machinery/field-error.ts'
import { setClaimDefaults, validateClaimSpec } from '../claim-spec.ts'
import { dropDisabledClaimFields } from '../drop-disabled-claim-fields.ts'

const strategy: Strategy<ResourceClaimTemplate> = {
  setDefaults: ({ spec }) => setClaimDefaults(spec.spec),
  prepareForCreate: ({ spec }, { features }) => dropDisabledClaimFields(spec.spec, undefined, features),
  prepareForUpdate: ({ spec }, { spec: old }, { features }) => dropDisabledClaimFields(spec.spec, old.spec, features),
  validate: (template, { features }) => validateTemplate(template, features),
  validateUpdate(template, old, { features }) {
    const errors = validateTemplate(template, features)
    if (!isSemanticallyEqual(template.spec, old.spec)) errors.push(invalidValue('spec', template.spec, IMMUTABLE))
    return errors
  },
}

function validateTemplate({ spec }: ResourceClaimTemplate, features: FeatureGates): FieldError[] {
  const errors: FieldError[] = []
  checkAnnotations(errors, 'spec.metadata.annotations', spec.metadata?.annotations)
  checkLabels(errors, 'spec.metadata.labels', spec.metadata?.labels)
  errors.push(...validateClaimSpec(spec.spec, 'spec.spec', features))
  return errors
}

export const resourceClaimTemplateKind = defineKind<ResourceClaimTemplate>(
  'resource.k8s.io/v1/resourceclaimtemplates',
  {
    answersDeleted: true,
    strategy,
    row: ({ metadata }, nowMs) => [metadata.name, formatAge(metadata.creationTimestamp, nowMs)],
  },
)
