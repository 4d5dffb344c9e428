/** Checks which taints a pod tolerates. */
import type { Toleration } from '#api/core/v1.gen.ts'
import { checkEnum, checkLabelName } from '#api/validation.ts'
import {
  type FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
  notSupportedInOrder,
} from '#machinery/field-error.ts'
import { isValidLabelValue } from '#machinery/validation/names.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'

export const TAINT_EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute']

export type TolerationOptions = {
  readonly path: string
  /** Lt and Gt are off unless the old object uses them already. */
  readonly allowComparison: boolean
}

export function validateTolerations(
  errors: FieldError[],
  tolerations: readonly Toleration[],
  { path, allowComparison }: TolerationOptions,
): void {
  for (const [i, toleration] of tolerations.entries()) {
    const place = `${path}[${i}]`
    const { key = '', operator = '', effect = '' } = toleration
    if (key !== '') checkLabelName(errors, `${place}.key`, key)
    if (key === '' && operator !== 'Exists') {
      const text = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
      errors.push(invalidValue(`${place}.operator`, operator, text))
    }
    if (toleration.tolerationSeconds !== undefined && effect !== 'NoExecute')
      errors.push(invalidValue(`${place}.effect`, effect, "effect must be 'NoExecute' when `tolerationSeconds` is set"))
    validateOperator(errors, toleration, { path: place, allowComparison })
    if (effect !== '') checkEnum(errors, `${place}.effect`, effect, TAINT_EFFECTS)
  }
}

function validateOperator(
  errors: FieldError[],
  { operator = '', value = '' }: Toleration,
  { path, allowComparison }: TolerationOptions,
): void {
  const place = `${path}.operator`
  if (operator === '' || operator === 'Equal') {
    const messages = isValidLabelValue(value)
    if (messages.length > 0) errors.push(invalidValue(place, value, messages.join(';')))
  } else if (operator === 'Exists') {
    if (value !== '') errors.push(invalidValue(place, value, "value must be empty when `operator` is 'Exists'"))
  } else if (operator !== 'Lt' && operator !== 'Gt') errors.push(notSupported(place, operator, ['Equal', 'Exists']))
  else if (!allowComparison) errors.push(notSupportedInOrder(place, operator, ['Equal', 'Exists', 'Lt', 'Gt']))
  else validateComparedValue(errors, value, `${path}.value`)
}

const DECIMAL = /^(?:0|-?[1-9][0-9]*)$/
const INT64_MAX = 9_223_372_036_854_775_807n

function validateComparedValue(errors: FieldError[], value: string, path: string): void {
  if (!DECIMAL.test(value)) {
    const rule =
      "a valid integer must be in decimal without leading zeros or a plus sign (regex used for validation is '^(0|-?[1-9][0-9]*)$')"
    errors.push(invalidValue(path, value, rule))
    return
  }
  const number = BigInt(value)
  if (number > INT64_MAX || number < -INT64_MAX - 1n)
    errors.push(invalidValue(path, value, `strconv.ParseInt: parsing ${JSON.stringify(value)}: value out of range`))
}

/** An update may add tolerations and change how long they hold, nothing else. */
export function validateAddedTolerations(
  errors: FieldError[],
  { tolerations, old }: { readonly tolerations: readonly Toleration[]; readonly old: readonly Toleration[] },
  options: TolerationOptions,
): void {
  const isKept = (before: Toleration): boolean =>
    tolerations.some((now) => isSemanticallyEqual(withoutSeconds(now), withoutSeconds(before)))
  if (old.every(isKept)) validateTolerations(errors, tolerations, options)
  else {
    const text = 'existing toleration can not be modified except its tolerationSeconds'
    errors.push(forbiddenField(options.path, text))
  }
}

function withoutSeconds({ key = '', operator = '', value = '', effect = '' }: Toleration): Toleration {
  return { key, operator, value, effect }
}
