/** How YAML writes one string: plain where that reads back as the same string, else quoted, or as a block of lines. */

/** Lines longer than this are broken at a space, as Go's YAML writer does. */
const WIDTH = 80

/** Words that YAML 1.1 reads as something else than a string. */
const RESERVED = new Set([
  '',
  '~',
  '<<',
  ...['null', 'true', 'false', 'yes', 'no', 'on', 'off', 'y', 'n', '.nan', '.inf', '-.inf', '+.inf'].flatMap(cases),
])

function cases(word: string): string[] {
  return [word, word.toUpperCase(), word.replace(/[a-z]/, (letter) => letter.toUpperCase())]
}

/** Readers of YAML 1.1 drop underscores before they look for a number, wherever they stand. */
const NUMBER = /^[-+]?(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO][0-7]+|(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?)$/
const SEXAGESIMAL = /^[-+]?[0-9_]+(:[0-5]?[0-9])+(\.[0-9_]*)?$/
const TIMESTAMP = /^\d{4}-\d{1,2}-\d{1,2}([Tt\s]\d{1,2}:\d{2}:\d{2}(\.\d+)?\s*(Z|[-+]\d{1,2}(:?\d{2})?)?)?$/

const isString = (text: string): boolean =>
  !RESERVED.has(text) && !NUMBER.test(text.replaceAll('_', '')) && !SEXAGESIMAL.test(text) && !TIMESTAMP.test(text)

/** Control characters (a tab too), and code points that a reader could not see. */
// eslint-disable-next-line no-control-regex
const SPECIAL = /[\u0000-\u0009\u000b-\u001f\u007f-\u0084\u0086-\u009f\ud800-\udfff\ufeff\ufffe\uffff]/u
const PLAIN_START = /^(---|\.\.\.|[#,[\]{}&*!|>'"%@`]|[-?:](\s|$))/
const PLAIN_INSIDE = /:(\s|$)|\s#/

/** `column` is where the text starts; `indent` is that of lines that continue it. */
export type ScalarPlace = { readonly column: number; readonly indent: number; readonly isKey: boolean }

export function writeScalar(text: string, place: ScalarPlace): string {
  const isSpecial = SPECIAL.test(text.replaceAll('\n', '')) || / \n/.test(text)
  if (text.includes('\n') && !place.isKey && !isSpecial && !text.endsWith(' ')) return literal(text, place.indent)
  if (text.includes('\n') || isSpecial || !isString(text)) return doubleQuoted(text, place)
  const isPlain = !/^\s|\s$/.test(text) && !PLAIN_START.test(text) && !PLAIN_INSIDE.test(text)
  return isPlain ? fold(text, place) : `'${fold(text.replaceAll("'", "''"), { ...place, column: place.column + 1 })}'`
}

/** A block of lines; its head says how many line ends follow the text. */
function literal(text: string, indent: number): string {
  const startsIndented = /^[ \n]/.test(text) ? '2' : ''
  const keeps = text === '\n' || text.endsWith('\n\n') ? '+' : text.endsWith('\n') ? '' : '-'
  const lines = (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n')
  const margin = ' '.repeat(indent)
  return [`|${startsIndented}${keeps}`, ...lines.map((line) => (line === '' ? '' : `${margin}${line}`))].join('\n')
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\0': String.raw`\0`,
  '\u0007': String.raw`\a`,
  '\b': String.raw`\b`,
  '\t': String.raw`\t`,
  '\n': String.raw`\n`,
  '\v': String.raw`\v`,
  '\f': String.raw`\f`,
  '\r': String.raw`\r`,
  '\u001b': String.raw`\e`,
  '"': String.raw`\"`,
  '\\': String.raw`\\`,
  '\u0085': String.raw`\N`,
  '\ufeff': String.raw`\uFEFF`,
}

function doubleQuoted(text: string, place: ScalarPlace): string {
  const escaped = [...text].map(
    (character) => ESCAPES[character] ?? (SPECIAL.test(character) ? escapeCode(character) : character),
  )
  return `"${foldParts(escaped, { ...place, column: place.column + 1 }, String.raw`\ `)}"`
}

function escapeCode(character: string): string {
  const code = character.codePointAt(0)!
  const hex = code.toString(16).toUpperCase()
  return code <= 0xff ? `\\x${hex.padStart(2, '0')}` : `\\u${hex.padStart(4, '0')}`
}

function fold(text: string, place: ScalarPlace): string {
  const fits = place.column + text.length <= WIDTH || !text.includes(' ')
  return fits ? text : foldParts([...text], place, null)
}

/** Breaks at a single space past the width. `openSpace` is how a space at the start of a new line is written; null: no break there. */
function foldParts(parts: readonly string[], { column, indent, isKey }: ScalarPlace, openSpace: string | null): string {
  if (isKey) return parts.join('')
  const margin = `\n${' '.repeat(indent)}`
  let [output, at] = ['', column]
  for (const [index, part] of parts.entries()) {
    const isBreak = part === ' ' && at > WIDTH && index > 0 && index < parts.length - 1 && parts[index - 1] !== ' '
    const isBeforeSpace = parts[index + 1] === ' '
    if (isBreak && (!isBeforeSpace || openSpace !== null)) {
      output += isBeforeSpace ? `${margin}\\` : margin
      at = indent
    } else {
      output += part
      at += part.length
    }
  }
  return output
}
