/** Validation errors by field, with upstream's texts: `spec.containers[0].image: Required value`. */
import type { StatusCause } from './meta/v1.gen.ts'
import { invalid, type StatusError } from './status-error.ts'

/** The causes' `reason` as upstream's `field.ErrorType` names them. */
export type FieldErrorType =
  | 'FieldValueRequired'
  | 'FieldValueInvalid'
  | 'FieldValueNotSupported'
  | 'FieldValueForbidden'
  | 'FieldValueDuplicate'
  | 'FieldValueNotFound'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany'
  | 'FieldValueTypeInvalid'
  | 'InternalError'

export type FieldError = {
  readonly type: FieldErrorType
  /** Full path, `spec.ports[0].name`; empty for the object itself. */
  readonly field: string
  /** Text after the path: `Required value: must be set`. */
  readonly message: string
}

const withDetail = (head: string, detail: string): string => (detail === '' ? head : `${head}: ${detail}`)

/** How upstream prints a bad value: strings quoted, numbers and booleans bare, the rest as JSON, nothing as null. */
export function formatBadValue(value: unknown): string {
  if (value === undefined || value === null) return 'null'
  return JSON.stringify(value)
}

export function required(field: string, detail = ''): FieldError {
  return { type: 'FieldValueRequired', field, message: withDetail('Required value', detail) }
}

export function invalidValue(field: string, value: unknown, detail: string): FieldError {
  return { type: 'FieldValueInvalid', field, message: withDetail(`Invalid value: ${formatBadValue(value)}`, detail) }
}

export function notSupported(field: string, value: unknown, supported: readonly string[]): FieldError {
  const detail =
    supported.length === 0
      ? ''
      : `supported values: ${supported
          .toSorted()
          .map((item) => JSON.stringify(item))
          .join(', ')}`
  return {
    type: 'FieldValueNotSupported',
    field,
    message: withDetail(`Unsupported value: ${formatBadValue(value)}`, detail),
  }
}

/** For the few lists of supported values that upstream does not sort. */
export function notSupportedInOrder(field: string, value: unknown, supported: readonly string[]): FieldError {
  const detail = `supported values: ${supported.map((item) => JSON.stringify(item)).join(', ')}`
  return {
    type: 'FieldValueNotSupported',
    field,
    message: withDetail(`Unsupported value: ${formatBadValue(value)}`, detail),
  }
}

export function forbiddenField(field: string, detail: string): FieldError {
  return { type: 'FieldValueForbidden', field, message: withDetail('Forbidden', detail) }
}

export function duplicate(field: string, value: unknown): FieldError {
  return { type: 'FieldValueDuplicate', field, message: `Duplicate value: ${formatBadValue(value)}` }
}

export function notFoundValue(field: string, value: unknown): FieldError {
  return { type: 'FieldValueNotFound', field, message: `Not found: ${formatBadValue(value)}` }
}

export function tooLong(field: string, maxBytes: number): FieldError {
  const detail = maxBytes < 0 ? 'value is too long' : `may not be more than ${maxBytes} bytes`
  return { type: 'FieldValueTooLong', field, message: `Too long: ${detail}` }
}

export function tooMany(field: string, actual: number, max: number): FieldError {
  const detail = max < 0 ? 'has too many items' : `must have at most ${max} item${max === 1 ? '' : 's'}`
  return {
    type: 'FieldValueTooMany',
    field,
    message: withDetail(actual < 0 ? 'Too many' : `Too many: ${actual}`, detail),
  }
}

export function typeInvalid(field: string, value: unknown, detail: string): FieldError {
  return {
    type: 'FieldValueTypeInvalid',
    field,
    message: withDetail(`Invalid value: ${formatBadValue(value)}`, detail),
  }
}

/** `spec` + `containers` = `spec.containers`; an empty parent gives the child alone. */
export function child(path: string, ...names: string[]): string {
  const tail = names.join('.')
  return path === '' ? tail : `${path}.${tail}`
}

export function index(path: string, position: number): string {
  return `${path}[${position}]`
}

export function key(path: string, name: string): string {
  return `${path}[${name}]`
}

/** One Status of all field errors, as upstream's `errors.NewInvalid` words it; what two checks say is said once. */
export function invalidFrom(
  kind: { group: string; kind: string },
  name: string,
  errors: readonly FieldError[],
): StatusError {
  const causes = new Map<string, StatusCause>()
  for (const { type, message, field: path } of errors) {
    const field = path === '' ? '<nil>' : path
    causes.set(`${field}: ${message}`, { reason: type, message, field })
  }
  return invalid(kind, name, formatFieldErrors(errors), [...causes.values()])
}

/** As Go prints several errors as one: each once, in brackets when there are more. */
export function formatFieldErrors(errors: readonly FieldError[]): string {
  const texts = [...new Set(errors.map(({ field, message }) => `${field === '' ? '<nil>' : field}: ${message}`))]
  return texts.length === 1 ? texts[0]! : `[${texts.join(', ')}]`
}
