/** One quick pass over a JSON text that tells whether JSON.parse loses anything of it (duplicate fields, unusual numbers), and whether it is too deep. */
import { JSON_DEPTH_MAX } from './exact-json.ts'

export type JsonScan = {
  /** How many fields all objects of the text have together. */
  readonly fields: number
  /** A fraction, an exponent or 16 or more digits: JavaScript may hold another number than the text says. */
  readonly hasUnusualNumbers: boolean
  /** What opens the first object or list that stands too deep in others; the rest is not looked at. '' when none does. */
  readonly tooDeep: string
}

/** Longest run of digits that surely fits a JavaScript number. */
const SAFE_DIGITS_MAX = 15

const QUOTE = 34
const COLON = 58
const BACKSLASH = 92
const [OPEN_BRACKET, CLOSE_BRACKET, OPEN_BRACE, CLOSE_BRACE] = [91, 93, 123, 125]

export function scanJson(text: string): JsonScan {
  let fields = 0
  let hasUnusualNumbers = false
  let digits = 0
  let open = 0
  const { length } = text
  for (let position = 0; position < length; position++) {
    const code = text.charCodeAt(position)
    if (code >= 48 && code <= 57) {
      if (++digits > SAFE_DIGITS_MAX) hasUnusualNumbers = true
      continue
    }
    if (code === QUOTE) position = endOfString(text, position)
    else if (code === COLON) fields++
    else if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      if (++open > JSON_DEPTH_MAX) return { fields, hasUnusualNumbers, tooDeep: text[position]! }
    } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) open--
    else if (digits > 0 && (code === 46 || code === 69 || code === 101)) hasUnusualNumbers = true
    digits = 0
  }
  return { fields, hasUnusualNumbers, tooDeep: '' }
}

/** Position of the quote that ends the string that starts at `start`. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end > 0; end = text.indexOf('"', end + 1)) {
    let backslashes = 0
    while (text.charCodeAt(end - 1 - backslashes) === BACKSLASH) backslashes++
    if (backslashes % 2 === 0) return end
  }
  return text.length
}

/** How many fields all objects inside a parsed value have together. */
export function countFields(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  let count = 0
  if (Array.isArray(value)) {
    for (const item of value) count += countFields(item)
    return count
  }
  for (const name in value) count += 1 + countFields((value as Record<string, unknown>)[name])
  return count
}
