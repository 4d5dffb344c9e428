/** Validation errors by field, with upstream's texts: `spec.containers[0].image: Required value`. */
import type { StatusCause } from './meta/v1.gen.ts'
import { quote } from './quote.ts'
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
  /** Set where the message shows a value that is no scalar: Go writes it by its own types, which whoever answers knows. */
  readonly bad?: BadValue
  /** Found by a check that upstream declares on the type of the API (see declared). */
  readonly isDeclared?: true
}

export type BadValue = { readonly value: unknown; readonly head: string; readonly detail: string }

/** How the bad value of an error is written; null: as it is. */
export type ShowBadValue = (value: unknown, field: string) => string | null

/** A bad value that is already written. */
export class WrittenValue {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

const withDetail = (head: string, detail: string): string => (detail === '' ? head : `${head}: ${detail}`)

/** How upstream prints a bad value: strings quoted, numbers and booleans bare, the rest as JSON, nothing as null. */
export function formatBadValue(value: unknown): string {
  if (value === undefined || value === null) return 'null'
  if (value instanceof WrittenValue) return value.text
  return typeof value === 'string' ? quote(value) : JSON.stringify(value)
}

type BadValueText = {
  readonly type: FieldErrorType
  readonly field: string
  readonly head: string
  readonly detail: string
}

function badValueError(value: unknown, { type, field, head, detail }: BadValueText): FieldError {
  const message = withDetail(`${head}: ${formatBadValue(value)}`, detail)
  const isPlain = value === null || (typeof value !== 'object' && value !== undefined) || value instanceof WrittenValue
  return isPlain ? { type, field, message } : { type, field, message, bad: { value, head, detail } }
}

export function required(field: string, detail = ''): FieldError {
  return { type: 'FieldValueRequired', field, message: withDetail('Required value', detail) }
}

export function invalidValue(field: string, value: unknown, detail: string): FieldError {
  return badValueError(value, { type: 'FieldValueInvalid', field, head: 'Invalid value', detail })
}

export function notSupported(field: string, value: unknown, supported: readonly string[]): FieldError {
  return notSupportedInOrder(field, value, supported.toSorted())
}

/** For the few lists of supported values that upstream does not sort. */
export function notSupportedInOrder(field: string, value: unknown, supported: readonly string[]): FieldError {
  const detail = supported.length === 0 ? '' : `supported values: ${supported.map(quote).join(', ')}`
  return badValueError(value, { type: 'FieldValueNotSupported', field, head: 'Unsupported value', detail })
}

export function forbiddenField(field: string, detail: string): FieldError {
  return { type: 'FieldValueForbidden', field, message: withDetail('Forbidden', detail) }
}

export function duplicate(field: string, value: unknown): FieldError {
  return badValueError(value, { type: 'FieldValueDuplicate', field, head: 'Duplicate value', detail: '' })
}

export function notFoundValue(field: string, value: unknown): FieldError {
  return badValueError(value, { type: 'FieldValueNotFound', field, head: 'Not found', detail: '' })
}

export function tooLong(field: string, maxBytes: number): FieldError {
  const detail = maxBytes < 0 ? 'value is too long' : `may not be more than ${maxBytes} bytes`
  return { type: 'FieldValueTooLong', field, message: `Too long: ${detail}` }
}

export function tooLongCharacters(field: string, maxCharacters: number): FieldError {
  return { type: 'FieldValueTooLong', field, message: `Too long: may not be more than ${maxCharacters} characters` }
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
  return badValueError(value, { type: 'FieldValueTypeInvalid', field, head: 'Invalid value', detail })
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

/** Marks an error of a check that upstream declares on the type: it is told after those of the written checks. */
export function declared(error: FieldError): FieldError {
  return { ...error, isDeclared: true }
}

/** One Status of all field errors, as upstream's `errors.NewInvalid` words it; what two checks say is said once. */
export function invalidFrom(
  kind: { group: string; kind: string },
  name: string,
  errors: readonly FieldError[],
  show?: ShowBadValue,
): StatusError {
  const ordered = [...errors.filter(({ isDeclared }) => !isDeclared), ...errors.filter(({ isDeclared }) => isDeclared)]
  const shown = show === undefined ? ordered : ordered.map((error) => withBadValue(error, show))
  const causes = new Map<string, StatusCause>()
  for (const { type, message, field: path } of shown) {
    const field = path === '' ? '<nil>' : path
    causes.set(`${field}: ${message}`, { reason: type, message, field })
  }
  return invalid(kind, name, formatFieldErrors(shown), [...causes.values()])
}

function withBadValue(error: FieldError, show: ShowBadValue): FieldError {
  if (error.bad === undefined) return error
  const { value, head, detail } = error.bad
  const text = show(value, error.field)
  return text === null ? error : { ...error, message: withDetail(`${head}: ${text}`, detail) }
}

/** As Go prints several errors as one: each once, in brackets when there are more. */
export function formatFieldErrors(errors: readonly FieldError[]): string {
  const texts = [...new Set(errors.map(({ field, message }) => `${field === '' ? '<nil>' : field}: ${message}`))]
  return texts.length === 1 ? texts[0]! : `[${texts.join(', ')}]`
}
