/** Reads numbers and truth values as Go's flag library does, and refuses them in its words. */

const WHOLE = /^[+-]?(0x[\da-f]+|0o?[0-7]+|0b[01]+|\d+)$/i
const FLOAT = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i
const [TRUE, FALSE] = [/^(1|t|T|TRUE|true|True)$/, /^(0|f|F|FALSE|false|False)$/]

export function parseInteger(text: string, { bits = 64 }: { readonly bits?: 32 | 64 } = {}): number {
  const sign = text.startsWith('-') ? -1 : 1
  const digits = text.replace(/^[+-]/, '').replace(/^0(?=\d)/, '0o')
  if (!WHOLE.test(text)) throw refusal('ParseInt', text, 'invalid syntax')
  const value = sign * Number(digits)
  if (Math.abs(value) >= 2 ** (bits - 1)) throw refusal('ParseInt', text, 'value out of range')
  return value
}

export function parseFloat64(text: string): number {
  if (!FLOAT.test(text)) throw refusal('ParseFloat', text, 'invalid syntax')
  return Number(text)
}

export function parseTruth(text: string): boolean {
  if (TRUE.test(text)) return true
  if (FALSE.test(text)) return false
  throw refusal('ParseBool', text, 'invalid syntax')
}

export const refusal = (parser: string, text: string, why: string): Error =>
  new Error(`strconv.${parser}: parsing ${JSON.stringify(text)}: ${why}`)
