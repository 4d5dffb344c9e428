/** Quotes texts in messages as Go's `%q` does. */

const ESCAPES: Readonly<Record<string, string>> = {
  '\u0007': String.raw`\a`,
  '\b': String.raw`\b`,
  '\f': String.raw`\f`,
  '\n': String.raw`\n`,
  '\r': String.raw`\r`,
  '\t': String.raw`\t`,
  '\v': String.raw`\v`,
  '\\': String.raw`\\`,
  '"': String.raw`\"`,
}

/** Most texts hold nothing that needs a look. */
const PLAIN = /^[ !#-[\]-~]*$/

export function quote(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`
  let quoted = ''
  for (const character of text.toWellFormed()) quoted += ESCAPES[character] ?? escapeUnlessPrintable(character)
  return `"${quoted}"`
}

/** Go's unicode.IsPrint: letters, marks, numbers, punctuation, symbols and the ASCII space. */
export const isPrintable = (character: string): boolean =>
  character === ' ' || /^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u.test(character)

function escapeUnlessPrintable(character: string): string {
  if (isPrintable(character)) return character
  const code = character.codePointAt(0)!
  const digits = code.toString(16)
  if (code < 0x80) return String.raw`\x${digits.padStart(2, '0')}`
  return code < 0x1_00_00 ? String.raw`\u${digits.padStart(4, '0')}` : String.raw`\U${digits.padStart(8, '0')}`
}
