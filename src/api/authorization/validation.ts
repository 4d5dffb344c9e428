/** What questions about access must hold: a subject, one kind of access, and nothing else. */
import type {
  FieldSelectorAttributes,
  LabelSelectorAttributes,
  LocalSubjectAccessReview,
  SelfSubjectAccessReview,
  SubjectAccessReview,
  SubjectAccessReviewSpec,
} from '#api/authorization/v1.gen.ts'
import { type FieldError, forbiddenField, invalidValue, required } from '#machinery/field-error.ts'
import type { FieldSelectorRequirement, ObjectMeta } from '#machinery/meta/v1.gen.ts'
import { validateLabelSelectorRequirement } from '#machinery/validation/label-selector.ts'

const RESOURCE = 'spec.resourceAttributes'

export function validateSubjectAccessReview({ metadata, spec }: SubjectAccessReview): FieldError[] {
  return [...checkAccess(spec, true), ...checkMetadata(metadata, 'must be empty')]
}

export function validateSelfSubjectAccessReview({ metadata, spec }: SelfSubjectAccessReview): FieldError[] {
  return [...checkAccess(spec, false), ...checkMetadata(metadata, 'must be empty')]
}

export function validateLocalSubjectAccessReview({ metadata, spec }: LocalSubjectAccessReview): FieldError[] {
  const { namespace = '', ...others } = metadata
  const errors = [...checkAccess(spec, true), ...checkMetadata(others, 'must be empty except for namespace')]
  const asked = spec.resourceAttributes?.namespace ?? ''
  if (spec.resourceAttributes !== undefined && asked !== namespace)
    errors.push(invalidValue(`${RESOURCE}.namespace`, asked, 'must match metadata.namespace'))
  if (spec.nonResourceAttributes !== undefined) {
    const text = 'disallowed on this kind of request'
    errors.push(invalidValue('spec.nonResourceAttributes', spec.nonResourceAttributes, text))
  }
  return errors
}

function checkAccess(spec: SubjectAccessReviewSpec, hasSubject: boolean): FieldError[] {
  const errors: FieldError[] = []
  const { resourceAttributes: resource, nonResourceAttributes: path } = spec
  if ((resource === undefined) === (path === undefined)) {
    const text = 'exactly one of nonResourceAttributes or resourceAttributes must be specified'
    errors.push(invalidValue('spec', path ?? null, text))
  }
  if (hasSubject && (spec.user ?? '') === '' && (spec.groups ?? []).length === 0)
    errors.push(invalidValue('spec.user', '', 'at least one of user or group must be specified'))
  if (resource?.fieldSelector !== undefined) checkFields(errors, resource.fieldSelector)
  if (resource?.labelSelector !== undefined) checkLabels(errors, resource.labelSelector)
  return errors
}

function checkMetadata({ managedFields: _ignored, ...metadata }: Partial<ObjectMeta>, text: string): FieldError[] {
  const isEmpty = Object.values(metadata).every((value) => value === undefined || value === '' || value === null)
  return isEmpty ? [] : [invalidValue('metadata', metadata, text)]
}

function checkFields(errors: FieldError[], selector: FieldSelectorAttributes): void {
  const path = `${RESOURCE}.fieldSelector`
  checkForm(errors, path, selector)
  for (const [i, requirement] of (selector.requirements ?? []).entries())
    checkFieldRequirement(errors, `${path}.requirements[${i}]`, requirement)
}

function checkLabels(errors: FieldError[], selector: LabelSelectorAttributes): void {
  const path = `${RESOURCE}.labelSelector`
  checkForm(errors, path, selector)
  for (const [i, requirement] of (selector.requirements ?? []).entries()) {
    const options = { allowUnknownOperator: true }
    errors.push(...validateLabelSelectorRequirement(requirement, `${path}.requirements[${i}]`, options))
  }
}

/** Either text or requirements. */
function checkForm(
  errors: FieldError[],
  path: string,
  { rawSelector = '', requirements = [] }: FieldSelectorAttributes | LabelSelectorAttributes,
): void {
  if (rawSelector !== '' && requirements.length > 0)
    errors.push(invalidValue(`${path}.rawSelector`, rawSelector, 'may not specified at the same time as requirements'))
  if (rawSelector === '' && requirements.length === 0) {
    const text = `when ${path} is specified, requirements or rawSelector is required`
    errors.push(required(`${path}.requirements`, text))
  }
}

function checkFieldRequirement(errors: FieldError[], path: string, requirement: FieldSelectorRequirement): void {
  const { key, operator, values = [] } = requirement
  if (!key) errors.push(required(`${path}.key`, 'must be specified'))
  if ((operator === 'In' || operator === 'NotIn') && values.length === 0)
    errors.push(required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'"))
  if ((operator === 'Exists' || operator === 'DoesNotExist') && values.length > 0) {
    const text = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
    errors.push(forbiddenField(`${path}.values`, text))
  }
}
