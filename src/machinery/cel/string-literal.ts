/** The text that a string literal of the Common Expression Language stands for. */

const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
}

/** Null for a literal of another type, bytes among them. `literal` is as it was written, and was read by the lexer. */
export function textOfLiteral(literal: string): string | null {
  const match = /^([rR]?)('''|"""|'|")([^]*)\2$/.exec(literal)
  if (match === null) return null
  const [, raw, , body] = match as unknown as [string, string, string, string]
  return raw === ''
    ? body.replaceAll(/\\(?:[xX]([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([0-3][0-7]{2})|(.))/g, unescape)
    : body
}

function unescape(_: string, ...parts: string[]): string {
  const [hex, short, long, octal, simple = ''] = parts
  const digits = hex ?? short ?? long
  if (digits !== undefined) return String.fromCodePoint(Number.parseInt(digits, 16))
  if (octal !== undefined) return String.fromCodePoint(Number.parseInt(octal, 8))
  return SIMPLE_ESCAPES[simple] ?? simple
}
