/** Field selectors: `metadata.name=a,status.phase!=Running`, with upstream's escaping and error texts. */
import { badRequest } from '../status-error.ts'

export type FieldTerm = { readonly field: string; readonly operator: '=' | '!='; readonly value: string }

export type FieldSelectorMatcher = {
  /** Sorted as upstream sorts the terms' texts. */
  readonly terms: readonly FieldTerm[]
  readonly isEmpty: boolean
  /** `read` gives the value of a field as text, '' where it is absent. */
  matches(read: (field: string) => string): boolean
  /** The one value that the selector demands of a field, or undefined. */
  exactValue(field: string): string | undefined
  toString(): string
}

/** Reads a query's `fieldSelector`. Throws StatusError 400. Which fields a kind knows is the caller's to check. */
export function parseFieldSelector(text: string): FieldSelectorMatcher {
  const terms = splitTerms(text)
    .sort()
    .filter((part) => part !== '')
    .map((part) => parseTerm(part, text))
  return fieldSelectorOf(terms)
}

export function fieldSelectorOf(terms: readonly FieldTerm[]): FieldSelectorMatcher {
  return {
    terms,
    isEmpty: terms.length === 0,
    matches: (read) => terms.every(({ field, operator, value }) => (read(field) === value) === (operator === '=')),
    exactValue: (field) => terms.find((term) => term.operator === '=' && term.field === field)?.value,
    toString: () => terms.map(({ field, operator, value }) => `${field}${operator}${escapeValue(value)}`).join(','),
  }
}

function escapeValue(value: string): string {
  return value.replaceAll(/[\\,=]/g, String.raw`\$&`)
}

/** Splits at commas that no backslash precedes. */
function splitTerms(text: string): string[] {
  if (text === '') return []
  const terms: string[] = []
  let start = 0
  let escaped = false
  for (let position = 0; position < text.length; position++) {
    const character = text[position]
    if (escaped) escaped = false
    else if (character === '\\') escaped = true
    else if (character === ',') {
      terms.push(text.slice(start, position))
      start = position + 1
    }
  }
  return [...terms, text.slice(start)]
}

function parseTerm(term: string, whole: string): FieldTerm {
  const found = /!=|==|=/.exec(term)
  if (found === null) throw badRequest(`invalid selector: '${whole}'; can't understand '${term}'`)
  return {
    field: term.slice(0, found.index),
    operator: found[0] === '!=' ? '!=' : '=',
    value: unescapeValue(term.slice(found.index + found[0].length)),
  }
}

function unescapeValue(text: string): string {
  let value = ''
  let escaped = false
  for (const character of text) {
    const isSpecial = character === '\\' || character === ',' || character === '='
    if (escaped) {
      if (!isSpecial) throw badRequest(`invalid field selector: invalid escape sequence: \\${character}`)
      value += character
      escaped = false
    } else if (character === '\\') escaped = true
    else if (isSpecial)
      // Upstream prints the character as its number.
      throw badRequest(`invalid field selector: unescaped character in value: ${character.codePointAt(0)}`)
    else value += character
  }
  if (escaped) throw badRequest('invalid field selector: invalid escape sequence: \\')
  return value
}
