/** Labels: keys are qualified names, values are short names or empty. */
import { invalidValue, type FieldError } from '../field-error.ts'
import { isQualifiedName, isValidLabelValue } from './names.ts'

export function validateLabelName(name: string, field: string): FieldError[] {
  return isQualifiedName(name).map((problem) => invalidValue(field, name, problem))
}

export function validateLabels(labels: Readonly<Record<string, string>> | undefined, field: string): FieldError[] {
  return Object.entries(labels ?? {}).flatMap(([name, value]) => [
    ...validateLabelName(name, field),
    ...isValidLabelValue(value).map((problem) => invalidValue(field, value, problem)),
  ])
}
