/** Label selectors inside objects (`spec.selector`): operators, keys and values, with upstream's texts. */
import { child, forbiddenField, index, invalidValue, required, type FieldError } from '../field-error.ts'
import type { LabelSelector, LabelSelectorRequirement } from '../meta/v1.gen.ts'
import { validateLabelName, validateLabels } from './labels.ts'
import { isValidLabelValue } from './names.ts'

export type LabelSelectorOptions = {
  /** Old objects may hold values that are no label values: they must stay editable. */
  readonly allowInvalidLabelValue?: boolean
  readonly allowUnknownOperator?: boolean
}

export function validateLabelSelector(
  selector: LabelSelector | undefined,
  field: string,
  options: LabelSelectorOptions = {},
): FieldError[] {
  if (selector === undefined) return []
  return [
    ...validateLabels(selector.matchLabels, child(field, 'matchLabels')),
    ...(selector.matchExpressions ?? []).flatMap((requirement, position) =>
      validateLabelSelectorRequirement(requirement, index(child(field, 'matchExpressions'), position), options),
    ),
  ]
}

export function validateLabelSelectorRequirement(
  requirement: LabelSelectorRequirement,
  field: string,
  options: LabelSelectorOptions = {},
): FieldError[] {
  const values = requirement.values ?? []
  const errors: FieldError[] = []
  if (requirement.operator === 'In' || requirement.operator === 'NotIn') {
    if (values.length === 0)
      errors.push(required(child(field, 'values'), "must be specified when `operator` is 'In' or 'NotIn'"))
  } else if (requirement.operator === 'Exists' || requirement.operator === 'DoesNotExist') {
    if (values.length > 0)
      errors.push(
        forbiddenField(child(field, 'values'), "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"),
      )
  } else if (!options.allowUnknownOperator)
    errors.push(invalidValue(child(field, 'operator'), requirement.operator, 'not a valid selector operator'))
  errors.push(...validateLabelName(requirement.key, child(field, 'key')))
  if (!options.allowInvalidLabelValue)
    errors.push(
      ...values.flatMap((value, position) =>
        isValidLabelValue(value).map((problem) =>
          invalidValue(index(child(field, 'values'), position), value, problem),
        ),
      ),
    )
  return errors
}

export function hasInvalidLabelValue(selector: LabelSelector | undefined): boolean {
  return (selector?.matchExpressions ?? []).some((requirement) =>
    (requirement.values ?? []).some((value) => isValidLabelValue(value).length > 0),
  )
}
