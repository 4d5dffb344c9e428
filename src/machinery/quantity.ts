/** Amounts of resources (`500m`, `1.5Gi`, `12e6`): exact to a billionth, in the canonical form that the API server answers. */

export type QuantityFormat = 'DecimalSI' | 'BinarySI' | 'DecimalExponent'

export type Quantity = {
  /** The amount in billionths: no quantity is finer. */
  readonly nano: bigint
  readonly format: QuantityFormat
  /** The text as it was given, where Kubernetes keeps it. */
  readonly text?: string
}

/** A quantity as the API holds it: text, or a number that a client wrote without quotes. */
export type QuantityLike = string | number | bigint | Quantity

const FORMAT_TEXT = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
const SUFFIX_TEXT = "unable to parse quantity's suffix"
const NUMBER_TEXT = 'unable to parse numeric part of quantity'

const NANO_DIGITS = 9
const NANO = 10n ** 9n
/** Largest value of a BinarySI quantity that does not fit 64 bits: upstream caps it there. */
const BINARY_NANO_MAX = (2n ** 63n - 1n) * NANO
const INT64_MAX = 2n ** 63n - 1n
/** Decimal digits that surely fit 64 bits. */
const INT64_DIGITS = 18
/** Exponents beyond this have no use, and arithmetic on them could be made to take very long. */
const EXPONENT_MAX = 1000

const DECIMAL_SUFFIXES: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  '': 0,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
}
const BINARY_SUFFIXES: Readonly<Record<string, number>> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 }
const DECIMAL_NAMES = new Map(Object.entries(DECIMAL_SUFFIXES).map(([name, exponent]) => [exponent, name]))
const BINARY_NAMES = new Map(Object.entries(BINARY_SUFFIXES).map(([name, exponent]) => [exponent, name]))

/** Thrown for text that is no quantity; its message is upstream's. */
export class QuantityError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'QuantityError'
  }
}

/** As in Go, the digits may be missing altogether: `m` is nought. */
const SHAPE = /^([+-]?)0*(\d*)(?:\.(\d*))?([eEinumkKMGTP]*[+-]?\d*)$/

export function parseQuantity(value: QuantityLike): Quantity {
  if (typeof value === 'object') return value
  const text = String(value)
  if (text === '0') return { nano: 0n, format: 'DecimalSI', text }
  const match = SHAPE.exec(text)
  if (text === '' || match === null) throw new QuantityError(FORMAT_TEXT)
  const [, sign, digits, fraction = '', suffix] = match
  const { format, exponent } = interpretSuffix(suffix!)
  const whole = digits === '' ? '0' : digits!
  const shifted = whole + fraction
  const magnitude =
    format === 'BinarySI'
      ? binaryNano(shifted, fraction.length, exponent)
      : decimalNano(shifted, exponent - fraction.length)
  const nano = sign === '-' ? -magnitude : magnitude
  if (keepsText({ shifted, whole, fraction, format, exponent })) return { nano, format, text }
  if (format === 'BinarySI' && magnitude > 0n && magnitude < NANO) return { nano, format: 'DecimalSI' }
  return { nano, format }
}

function interpretSuffix(suffix: string): { format: QuantityFormat; exponent: number } {
  const decimal = DECIMAL_SUFFIXES[suffix]
  if (decimal !== undefined) return { format: 'DecimalSI', exponent: decimal }
  const binary = BINARY_SUFFIXES[suffix]
  if (binary !== undefined) return { format: 'BinarySI', exponent: binary }
  if (!/^[eE][+-]?\d+$/.test(suffix)) throw new QuantityError(SUFFIX_TEXT)
  const exponent = Number(suffix.slice(1))
  if (Math.abs(exponent) > EXPONENT_MAX) throw new QuantityError(NUMBER_TEXT)
  return { format: 'DecimalExponent', exponent }
}

/** Amounts finer than a billionth are rounded away from nought. */
function decimalNano(digits: string, exponent: number): bigint {
  const shift = exponent + NANO_DIGITS
  if (shift >= 0) return BigInt(digits) * 10n ** BigInt(shift)
  return divideUp(BigInt(digits), 10n ** BigInt(-shift))
}

function binaryNano(digits: string, fractionLength: number, exponent: number): bigint {
  const nano = divideUp((BigInt(digits) << BigInt(exponent)) * NANO, 10n ** BigInt(fractionLength))
  return nano > BINARY_NANO_MAX ? BINARY_NANO_MAX : nano
}

function divideUp(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor
  return quotient * divisor === value ? quotient : quotient + (value < 0n ? -1n : 1n)
}

type Parts = {
  readonly shifted: string
  readonly whole: string
  readonly fraction: string
  readonly format: QuantityFormat
  readonly exponent: number
}

/** Upstream keeps the given text where its quick test takes it for canonical already. */
function keepsText({ shifted, whole, fraction, format, exponent }: Parts): boolean {
  if (format === 'BinarySI') {
    const roomLeft = 15 - whole.length - Math.trunc((exponent * 3) / 10) - 1
    if (fraction !== '' || roomLeft < 0) return false
    return BigInt(shifted) << BigInt(exponent) <= INT64_MAX && (BigInt(shifted) & 7n) !== 0n
  }
  const scale = exponent - fraction.length
  if (shifted.length > INT64_DIGITS || scale < -NANO_DIGITS) return false
  return scale % 3 === 0 && !shifted.endsWith('000') && !shifted.startsWith('0')
}

/** The canonical text: no fraction, the largest suffix that keeps the number whole. */
export function formatQuantity(quantity: QuantityLike): string {
  const { nano, format, text } = parseQuantity(quantity)
  if (text !== undefined) return text
  if (nano === 0n) return '0'
  if (format === 'BinarySI' && nano % NANO === 0n && (nano <= -1024n * NANO || nano >= 1024n * NANO))
    return formatBinary(nano / NANO)
  return formatDecimal(nano, format === 'DecimalExponent')
}

function formatBinary(value: bigint): string {
  let exponent = 0
  while (value % 1024n === 0n && exponent < 60) {
    value /= 1024n
    exponent += 10
  }
  return `${value}${exponent === 0 ? '' : BINARY_NAMES.get(exponent)!}`
}

function formatDecimal(nano: bigint, asExponent: boolean): string {
  let exponent = -NANO_DIGITS
  while (nano % 1000n === 0n && (asExponent || exponent < 18)) {
    nano /= 1000n
    exponent += 3
  }
  if (!asExponent) return `${nano}${DECIMAL_NAMES.get(exponent)!}`
  return exponent === 0 ? `${nano}` : `${nano}e${exponent}`
}

/** Negative, zero or positive, as the first is less than, equal to or greater than the second. */
export function compareQuantities(left: QuantityLike, right: QuantityLike): number {
  const [a, b] = [parseQuantity(left).nano, parseQuantity(right).nano]
  if (a === b) return 0
  return a < b ? -1 : 1
}

/** The sum keeps the first one's form, unless that is nought. */
export function addQuantities(left: QuantityLike, right: QuantityLike): Quantity {
  const [a, b] = [parseQuantity(left), parseQuantity(right)]
  return { nano: a.nano + b.nano, format: a.nano === 0n ? b.format : a.format }
}

export function subtractQuantities(left: QuantityLike, right: QuantityLike): Quantity {
  const [a, b] = [parseQuantity(left), parseQuantity(right)]
  return { nano: a.nano - b.nano, format: a.nano === 0n ? b.format : a.format }
}

/** Upstream's `Value()`: whole units, rounded away from nought. */
export function quantityToNumber(quantity: QuantityLike): number {
  return Number(divideUp(parseQuantity(quantity).nano, NANO))
}

/** Upstream's `MilliValue()`: thousandths, rounded away from nought. */
export function quantityMilliValue(quantity: QuantityLike): number {
  return Number(divideUp(parseQuantity(quantity).nano, 1_000_000n))
}

/** The amount as a floating point number, for ratios only. */
export function approximateQuantity(quantity: QuantityLike): number {
  return Number(parseQuantity(quantity).nano) / 1e9
}

export function isZeroQuantity(quantity: QuantityLike): boolean {
  return parseQuantity(quantity).nano === 0n
}
