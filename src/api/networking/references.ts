/** Checks references to objects of any kind: group, kind and name only have to fit into a path. */
import { checkDnsSubdomain, checkText } from '#api/validation.ts'
import { type FieldError, required } from '#machinery/field-error.ts'
import { isPathSegmentName } from '#machinery/validation/names.ts'

type Reference = { readonly apiGroup?: string; readonly kind?: string; readonly name?: string }

export function checkReference(errors: FieldError[], path: string, { apiGroup, kind, name }: Reference): void {
  if (apiGroup !== undefined && apiGroup !== null) checkDnsSubdomain(errors, `${path}.apiGroup`, apiGroup)
  checkSegment(errors, `${path}.kind`, kind)
  checkSegment(errors, `${path}.name`, name)
}

export function checkSegment(errors: FieldError[], path: string, value = ''): void {
  if (value === '') errors.push(required(path))
  else checkText(errors, path, value, isPathSegmentName)
}
