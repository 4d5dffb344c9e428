/** Makes a claim for devices for each pod that names it. */
import { defineKind } from '#api/define-kind.ts'
import type { Strategy } from '#api/kind.ts'
import type { ResourceClaimTemplate } from '#api/resource/v1.gen.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import { formatAge } from '#api/table-cells.ts'
import { checkAnnotations, checkLabels, IMMUTABLE } from '#api/validation.ts'
import { type FieldError, invalidValue } from '#machinery/field-error.ts'
import { setClaimDefaults, validateClaimSpec } from '../claim-spec.ts'

const strategy: Strategy<ResourceClaimTemplate> = {
  setDefaults: ({ spec }) => setClaimDefaults(spec.spec),
  validate: validateTemplate,
  validateUpdate(template, old) {
    const errors = validateTemplate(template)
    if (!isSemanticallyEqual(template.spec, old.spec)) errors.push(invalidValue('spec', template.spec, IMMUTABLE))
    return errors
  },
}

function validateTemplate({ spec }: ResourceClaimTemplate): FieldError[] {
  const errors: FieldError[] = []
  checkAnnotations(errors, 'spec.metadata.annotations', spec.metadata?.annotations)
  checkLabels(errors, 'spec.metadata.labels', spec.metadata?.labels)
  errors.push(...validateClaimSpec(spec.spec, 'spec.spec'))
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
