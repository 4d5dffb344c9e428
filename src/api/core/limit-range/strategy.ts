/** How LimitRanges are completed and checked: minimum, defaults and maximum have to stand in that order. */
import type { RandomSource } from '#base/random.ts'
import type { LimitRange, LimitRangeItem } from '#api/core/v1.gen.ts'
import type { Strategy } from '#api/kind.ts'
import { checkText } from '#api/validation.ts'
import { duplicate, type FieldError, forbiddenField, invalidValue, required } from '#machinery/field-error.ts'
import { compareQuantities, formatQuantity, quantityMilliValue } from '#machinery/quantity.ts'
import { isQualifiedName } from '#machinery/validation/names.ts'
import { isOvercommitAllowed, validateContainerResourceName, validateResourceName } from '../pod-spec/resource-names.ts'

const LIMIT_TYPES = ['Pod', 'Container', 'PersistentVolumeClaim']
const AMOUNTS = ['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio'] as const

export const limitRangeStrategy: Strategy<LimitRange> = {
  allowCreateOnUpdate: true,
  setDefaults(range) {
    for (const limit of range.spec?.limits ?? []) if (limit.type === 'Container') setDefaultAmounts(limit)
  },
  prepareForCreate({ metadata }, { random }) {
    metadata.name ||= randomName(random)
  },
  validate: validateLimitRange,
  validateUpdate: validateLimitRange,
}

/** Alone among all kinds, LimitRanges need no name: upstream gives them a UUID. */
function randomName(random: RandomSource): string {
  const hex = Buffer.from(random.bytes(16)).toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20)].join('-')
}

/** Containers without limits get the maximum, without requests their limit, else the minimum. */
function setDefaultAmounts(limit: LimitRangeItem): void {
  limit.default = { ...limit.max, ...limit.default }
  limit.defaultRequest = { ...limit.min, ...limit.default, ...limit.defaultRequest }
}

function validateLimitRange({ spec }: LimitRange): FieldError[] {
  const errors: FieldError[] = []
  const types = new Set<string>()
  for (const [i, limit] of (spec?.limits ?? []).entries()) {
    const path = `spec.limits[${i}]`
    validateType(errors, `${path}.type`, limit.type ?? '')
    if (types.has(limit.type)) errors.push(duplicate(`${path}.type`, limit.type))
    types.add(limit.type)
    validateNames(errors, path, limit)
    for (const name of resourceNames(limit)) validateOrder(errors, path, limit, name)
  }
  return errors
}

function validateType(errors: FieldError[], path: string, type: string): void {
  const before = errors.length
  checkText(errors, path, type, isQualifiedName)
  if (errors.length === before && !type.includes('/') && !LIMIT_TYPES.includes(type))
    errors.push(invalidValue(path, type, 'must be a standard limit type or fully qualified'))
}

/** The amounts that this type of limit knows. */
function amountsOf(limit: LimitRangeItem): (typeof AMOUNTS)[number][] {
  return AMOUNTS.filter((list) => limit.type !== 'Pod' || (list !== 'default' && list !== 'defaultRequest'))
}

function resourceNames(limit: LimitRangeItem): Set<string> {
  return new Set(amountsOf(limit).flatMap((list) => Object.keys(limit[list] ?? {})))
}

function validateNames(errors: FieldError[], path: string, limit: LimitRangeItem): void {
  const isOfPods = limit.type === 'Pod' || limit.type === 'Container'
  for (const list of amountsOf(limit))
    for (const name of Object.keys(limit[list] ?? {})) {
      if (isOfPods) validateContainerResourceName(errors, name, `${path}.${list}[${name}]`)
      else validateResourceName(errors, name, `${path}.${list}[${name}]`)
    }
  if (limit.type === 'Pod')
    for (const list of ['default', 'defaultRequest'] as const)
      if (Object.keys(limit[list] ?? {}).length > 0)
        errors.push(forbiddenField(`${path}.${list}`, "may not be specified when `type` is 'Pod'"))
  const isBounded = limit.min?.['storage'] !== undefined || limit.max?.['storage'] !== undefined
  if (limit.type === 'PersistentVolumeClaim' && !isBounded)
    errors.push(
      required(`${path}.limits`, 'either minimum or maximum storage value is required, but neither was provided'),
    )
}

type Amount = { readonly list: 'min' | 'max' | 'default' | 'defaultRequest'; readonly words: string }

const MIN: Amount = { list: 'min', words: 'min value' }
const MAX: Amount = { list: 'max', words: 'max value' }
const DEFAULT: Amount = { list: 'default', words: 'default value' }
const REQUEST: Amount = { list: 'defaultRequest', words: 'default request value' }

/** Smaller, larger, and which of both the error is about and which value it shows. */
const ORDERS: readonly { smaller: Amount; larger: Amount; about: Amount['list']; shows: 'smaller' | 'larger' }[] = [
  { smaller: MIN, larger: MAX, about: 'min', shows: 'smaller' },
  { smaller: MIN, larger: REQUEST, about: 'defaultRequest', shows: 'larger' },
  { smaller: REQUEST, larger: MAX, about: 'defaultRequest', shows: 'smaller' },
  { smaller: REQUEST, larger: { ...DEFAULT, words: 'default limit value' }, about: 'defaultRequest', shows: 'smaller' },
  { smaller: MIN, larger: DEFAULT, about: 'default', shows: 'smaller' },
  { smaller: DEFAULT, larger: MAX, about: 'default', shows: 'larger' },
]

function validateOrder(errors: FieldError[], path: string, limit: LimitRangeItem, name: string): void {
  const valueOf = ({ list }: Amount): string | undefined =>
    limit.type === 'Pod' && list.startsWith('default')
      ? undefined
      : (limit[list] as Record<string, string> | undefined)?.[name]
  for (const { smaller, larger, about, shows } of ORDERS) {
    const [low, high] = [valueOf(smaller), valueOf(larger)]
    if (low === undefined || high === undefined || compareQuantities(low, high) <= 0) continue
    const text = `${smaller.words} ${formatQuantity(low)} is greater than ${larger.words} ${formatQuantity(high)}`
    errors.push(invalidValue(`${path}.${about}[${name}]`, shows === 'smaller' ? low : high, text))
  }
  validateRatio(errors, `${path}.maxLimitRequestRatio[${name}]`, {
    ratio: limit.maxLimitRequestRatio?.[name],
    min: limit.min?.[name],
    max: limit.max?.[name],
  })
  const [limitDefault, request] = [valueOf(DEFAULT), valueOf(REQUEST)]
  if (isOvercommitAllowed(name) || limitDefault === undefined || request === undefined) return
  if (compareQuantities(limitDefault, request) === 0) return
  const text = `default value ${limitDefault} must equal to defaultRequest value ${request} in ${name}`
  errors.push(invalidValue(`${path}.defaultRequest[${name}]`, request, text))
}

type Ratio = { readonly ratio: string | undefined; readonly min: string | undefined; readonly max: string | undefined }

function validateRatio(errors: FieldError[], path: string, { ratio, min, max }: Ratio): void {
  if (ratio === undefined) return
  if (compareQuantities(ratio, '1') < 0) errors.push(invalidValue(path, ratio, `ratio ${ratio} is less than 1`))
  if (min === undefined || max === undefined) return
  const highest = quantityMilliValue(max) / quantityMilliValue(min)
  if (quantityMilliValue(ratio) / 1000 > highest)
    errors.push(invalidValue(path, ratio, `ratio ${ratio} is greater than max/min = ${highest.toFixed(6)}`))
}
