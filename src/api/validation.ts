/** Field checks that many kinds share: each adds what is wrong with one value to a list of field errors. */
import {
  declared,
  type FieldError,
  invalidValue,
  notSupportedInOrder,
  required,
  tooLongCharacters,
} from '#machinery/field-error.ts'
import type { LabelSelector } from '#machinery/meta/v1.gen.ts'
import { type LabelSelectorOptions, validateLabelSelector } from '#machinery/validation/label-selector.ts'
import { validateLabels } from '#machinery/validation/labels.ts'
import { isDns1123Label, isDns1123Subdomain, isLongNameCaseless, isQualifiedName } from '#machinery/validation/names.ts'
import { validateAnnotations } from '#machinery/validation/object-meta.ts'
import { rangeText } from '#machinery/validation/texts.ts'

const INT32_MAX = 2_147_483_647

export const NOT_NEGATIVE = 'must be greater than or equal to 0'
export const NOT_POSITIVE = 'must be greater than zero'
export const IMMUTABLE = 'field is immutable'

export type Check = (value: string) => string[]

/** Runs a check whose answer is a list of texts. */
export function checkText(errors: FieldError[], path: string, value: string, check: Check): void {
  for (const message of check(value)) errors.push(invalidValue(path, value, message))
}

export function checkDnsLabel(errors: FieldError[], path: string, value: string): void {
  checkText(errors, path, value, isDns1123Label)
}

export function checkDnsSubdomain(errors: FieldError[], path: string, value: string): void {
  checkText(errors, path, value, isDns1123Subdomain)
}

/** Checks in the words of those that upstream declares on types. */
export function checkDeclared(errors: FieldError[], path: string, value: string, check: Check): void {
  for (const message of check(value)) errors.push(declared(invalidValue(path, value, message)))
}

const DRIVER_CHARACTERS_MAX = 63

/** The name of a driver, where upstream declares the check on the type. */
export function checkDeclaredDriver(errors: FieldError[], path: string, name: string): void {
  if (name === '') {
    errors.push(declared(required(path)))
    return
  }
  checkDeclared(errors, path, name, isLongNameCaseless)
  if ([...name].length > DRIVER_CHARACTERS_MAX) errors.push(declared(tooLongCharacters(path, DRIVER_CHARACTERS_MAX)))
}

/** A field that no update may change; upstream declares it on the type, and does not show the new value. */
export const immutableField = (path: string): FieldError => declared(invalidValue(path, null, IMMUTABLE))

export function checkQualifiedName(errors: FieldError[], path: string, value: string): void {
  checkText(errors, path, value, isQualifiedName)
}

/** A label key: the same rule as for a qualified name. */
export const checkLabelName = checkQualifiedName

export function checkLabelSelector(
  errors: FieldError[],
  path: string,
  selector: LabelSelector | undefined,
  options: LabelSelectorOptions,
): void {
  if (selector !== undefined) errors.push(...validateLabelSelector(selector, path, options))
}

export function checkLabels(errors: FieldError[], path: string, labels: Record<string, string> | undefined): void {
  if (labels !== undefined) errors.push(...validateLabels(labels, path))
}

export function checkAnnotations(
  errors: FieldError[],
  path: string,
  annotations: Record<string, string> | undefined,
): void {
  if (annotations !== undefined) errors.push(...validateAnnotations(annotations, path))
}

export function checkNonNegative(errors: FieldError[], path: string, value: number | undefined): void {
  if (value !== undefined && value < 0) errors.push(invalidValue(path, value, NOT_NEGATIVE))
}

export function checkPositive(errors: FieldError[], path: string, value: number): void {
  if (value <= 0) errors.push(invalidValue(path, value, NOT_POSITIVE))
}

export function checkRange(errors: FieldError[], path: string, value: number, range: readonly [number, number]): void {
  if (value < range[0] || value > range[1]) errors.push(invalidValue(path, value, rangeText(range[0], range[1])))
}

const PORTS = [1, 65_535] as const
const IDS = [0, INT32_MAX] as const

export function checkPort(errors: FieldError[], path: string, value: number): void {
  checkRange(errors, path, value, PORTS)
}

/** A numeric user or group id of Linux. */
export function checkId(errors: FieldError[], path: string, value: number | undefined): void {
  if (value !== undefined) checkRange(errors, path, value, IDS)
}

/** One of a few words; undefined is fine. */
export function checkEnum(
  errors: FieldError[],
  path: string,
  value: string | undefined,
  supported: readonly string[],
): void {
  if (value !== undefined && !supported.includes(value)) errors.push(notSupportedInOrder(path, value, supported))
}

/** One of a few words that has to be there. */
export function checkRequiredEnum(
  errors: FieldError[],
  path: string,
  value: string | undefined,
  supported: readonly string[],
): void {
  if (value === undefined || value === '') errors.push(required(path))
  else checkEnum(errors, path, value, supported)
}

/** True when there is a value; otherwise the field is reported as missing. */
export function checkPresent(errors: FieldError[], path: string, value: string | undefined): value is string {
  if (value !== undefined && value !== '') return true
  errors.push(required(path))
  return false
}
