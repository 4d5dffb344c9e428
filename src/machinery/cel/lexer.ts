/** Splits an expression into tokens. */
import { CelError } from './syntax-tree.ts'

export type Token = {
  readonly kind: 'ident' | 'quoted-ident' | 'number' | 'string' | 'operator' | 'end'
  readonly text: string
  readonly offset: number
}

const SPACE = /(?:[\t\n\f\r ]|\/\/[^\n]*)*/y
const ESCAPE = String.raw`\\(?:[abfnrtv"'?\\${'`'}]|[xX][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-3][0-7]{2})`
const STRING_BODY = [
  String.raw`"""(?:${ESCAPE}|(?!""")[^\\])*"""`,
  String.raw`'''(?:${ESCAPE}|(?!''')[^\\])*'''`,
  String.raw`"(?:[^"\\\n\r]|${ESCAPE})*"`,
  String.raw`'(?:[^'\\\n\r]|${ESCAPE})*'`,
].join('|')
const RAW_BODY = String.raw`"""[^]*?"""|'''[^]*?'''|"[^"\n\r]*"|'[^'\n\r]*'`
const PATTERNS: readonly (readonly [Token['kind'], RegExp])[] = [
  ['string', new RegExp(`[bB]?[rR](?:${RAW_BODY})|[bB]?(?:${STRING_BODY})`, 'y')],
  ['number', /0x[0-9a-fA-F]+[uU]?|(?:\d+\.\d+(?:[eE][-+]?\d+)?|\d+[eE][-+]?\d+|\.\d+(?:[eE][-+]?\d+)?|\d+[uU]?)/y],
  ['ident', /[_a-zA-Z]\w*/y],
  ['quoted-ident', /`[\w.\-/ ]+`/y],
  ['operator', /==|!=|<=|>=|&&|\|\||[-+*/%<>!?:.,[\](){}]/y],
]

/** A text of nothing but rubbish is not repeated as a whole. */
const ERRORS_MAX = 100

export type ReadText = { readonly tokens: readonly Token[]; readonly errors: readonly CelError[] }

/** The tokens end with one of kind `end`. What begins none is an error, and is left out. */
export function readTokens(text: string): ReadText {
  const tokens: Token[] = []
  const errors: CelError[] = []
  for (let offset = skipSpace(text, 0); offset < text.length; offset = skipSpace(text, offset)) {
    const token = tokenAt(text, offset)
    const read = token === null ? unreadable(text, offset) : token.text
    if (errors.length === ERRORS_MAX) break
    if (token === null) errors.push(new CelError(`Syntax error: token recognition error at: '${read}'`, offset))
    else tokens.push(token)
    offset += read.length
  }
  return { tokens: [...tokens, { kind: 'end', text: '<EOF>', offset: text.length }], errors }
}

/** A string as far as it is one, with the character that ends it wrongly. */
const BROKEN_STRING = new RegExp(
  String.raw`(?:"(?:[^"\\\n\r]|${ESCAPE})*|'(?:[^'\\\n\r]|${ESCAPE})*)(?:\\[^]?|[^]?)`,
  'y',
)

function unreadable(text: string, offset: number): string {
  BROKEN_STRING.lastIndex = offset
  return BROKEN_STRING.exec(text)?.[0] ?? text[offset]!
}

function skipSpace(text: string, offset: number): number {
  SPACE.lastIndex = offset
  return offset + SPACE.exec(text)![0].length
}

function tokenAt(text: string, offset: number): Token | null {
  for (const [kind, pattern] of PATTERNS) {
    pattern.lastIndex = offset
    const match = pattern.exec(text)
    if (match !== null) return { kind, text: match[0], offset }
  }
  return null
}
