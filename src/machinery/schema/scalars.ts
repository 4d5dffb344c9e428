/** Scalar forms of the API that are more than JSON's own: times, base64 and 64-bit integers, checked as Go checks them. */
import { DecodeError } from './decode-error.ts'

const RFC_3339 = '2006-01-02T15:04:05Z07:00'
const RFC_3339_MICRO = '2006-01-02T15:04:05.000000Z07:00'

/** Seconds precision in UTC, as the API answers a Time; null for the zero time. Throws Go's text for what is no time. */
export function normalizeTime(text: string): string | null {
  return parseGoTime(text, false)
}

/** Microseconds precision in UTC; exactly six digits of fraction are wanted. */
export function normalizeMicroTime(text: string): string | null {
  return parseGoTime(text, true)
}

const COMMON_TIME = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{6})?Z$/

function parseGoTime(text: string, micro: boolean): string | null {
  const common = COMMON_TIME.exec(text)
  if (common !== null && (common[1] !== undefined) === micro)
    return text.startsWith('0001-01-01T00:00:00') ? null : text
  const parts = readTime(text, micro)
  const epochMs =
    Date.UTC(2000, parts.month - 1, parts.day, parts.hour, parts.minute, parts.second) +
    (Date.UTC(parts.year, 0, 1) - Date.UTC(2000, 0, 1))
  // Date.UTC takes years below 100 for 1900 and up, so such a year is set by itself.
  const date = new Date(epochMs)
  date.setUTCFullYear(parts.year, parts.month - 1, parts.day)
  const utc = new Date(date.getTime() - parts.offsetMinutes * 60_000)
  const seconds = utc.toISOString().replace(/\.\d+Z$/, '')
  if (seconds === '0001-01-01T00:00:00') return null
  return micro ? `${seconds}.${parts.micros}Z` : `${seconds}Z`
}

type TimeParts = {
  year: number
  month: number
  day: number
  hour: number
  minute: number
  second: number
  micros: string
  offsetMinutes: number
}

/** Reads a time piece by piece, so that the error names the first piece that does not fit. */
function readTime(text: string, micro: boolean): TimeParts {
  const layout = micro ? RFC_3339_MICRO : RFC_3339
  const head = `parsing time ${JSON.stringify(text)}`
  let rest = text
  const fail = (piece: string): never => {
    throw new DecodeError(
      `${head} as ${JSON.stringify(layout)}: cannot parse ${JSON.stringify(rest)} as ${JSON.stringify(piece)}`,
    )
  }
  const outOfRange = (what: string): never => {
    throw new DecodeError(`${head}: ${what} out of range`)
  }
  const take = (pattern: RegExp, piece: string): string => {
    const match = pattern.exec(rest)
    if (match === null) return fail(piece)
    rest = rest.slice(match[0].length)
    return match[0]
  }
  const number = (pattern: RegExp, piece: string): number => Number(take(pattern, piece))
  const year = number(/^\d{4}/, '2006')
  take(/^-/, '-')
  const month = number(/^\d\d/, '01')
  if (month < 1 || month > 12) outOfRange('month')
  take(/^-/, '-')
  const day = number(/^\d\d/, '02')
  take(/^T/, 'T')
  const hour = number(/^\d{1,2}/, '15')
  if (hour > 23) outOfRange('hour')
  take(/^:/, ':')
  const minute = number(/^\d\d/, '04')
  if (minute > 59) outOfRange('minute')
  take(/^:/, ':')
  const second = number(/^\d\d/, '05')
  if (second > 59) outOfRange('second')
  const fraction = micro ? take(/^[.,]\d{6}/, '.000000') : (/^[.,]\d+/.exec(rest)?.[0] ?? '')
  if (!micro) rest = rest.slice(fraction.length)
  const zone = take(/^(?:Z|[+-]\d\d:\d\d)/, 'Z07:00')
  // Go allows one more than there are, and looks at the minutes last.
  if (Number(zone.slice(4, 6)) > 60) outOfRange('time zone offset minute')
  if (Number(zone.slice(1, 3)) > 24) outOfRange('time zone offset hour')
  const offsetMinutes = readOffset(zone)
  if (rest !== '') throw new DecodeError(`${head}: extra text: ${JSON.stringify(rest)}`)
  if (day < 1 || day > daysIn(year, month)) outOfRange('day')
  return { year, month, day, hour, minute, second, micros: fraction.slice(1, 7), offsetMinutes }
}

function readOffset(zone: string): number {
  if (zone === 'Z') return 0
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4, 6))
  return zone.startsWith('-') ? -minutes : minutes
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return [4, 6, 9, 11].includes(month) ? 30 : 31
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/
const BASE64_DIGIT = /[A-Za-z0-9+/]/

/** Base64 text as Go writes the bytes back. Line breaks inside are dropped; anything else is refused at its position. */
export function normalizeBase64(text: string): string {
  if (BASE64.test(text)) return normalizeTail(text)
  const compact = text.replaceAll(/[\r\n]/g, '')
  if (BASE64.test(compact)) return normalizeTail(compact)
  throw new DecodeError(`illegal base64 data at input byte ${findBadBase64(text)}`)
}

/** Bits beyond the last byte are dropped by Go, too. */
function normalizeTail(text: string): string {
  return text.endsWith('=') ? Buffer.from(text, 'base64').toString('base64') : text
}

/** Where Go's decoder stops: at the first byte that is no digit, at wrong padding, or at the end of a short group. */
function findBadBase64(text: string): number {
  let digits = 0
  for (let position = 0; position < text.length; position++) {
    const character = text[position]!
    if (character === '\r' || character === '\n') continue
    if (BASE64_DIGIT.test(character)) {
      digits = (digits + 1) % 4
      continue
    }
    if (character !== '=' || digits < 2) return position
    return findBadPadding(text, position + 1, digits === 2)
  }
  return text.length - digits
}

function findBadPadding(text: string, start: number, needsSecond: boolean): number {
  let position = start
  const skipBreaks = (): void => {
    while (text[position] === '\r' || text[position] === '\n') position++
  }
  skipBreaks()
  if (needsSecond) {
    if (position >= text.length) return text.length
    if (text[position] !== '=') return position - 1
    position++
    skipBreaks()
  }
  return position
}

export const INT32_MIN = -2_147_483_648
export const INT32_MAX = 2_147_483_647
export const INT64_MIN = -(2n ** 63n)
export const INT64_MAX = 2n ** 63n - 1n
