/** Reads the text form of label selectors, `a=b,c in (d,e),!f`, with upstream's error texts. */
import { badRequest } from '../status-error.ts'
import { isQualifiedName } from '../validation/names.ts'
import { requirementProblem, type LabelOperator, type LabelRequirement } from './label-requirement.ts'

type TokenKind = LabelOperator | 'identifier' | ',' | '(' | ')' | 'end' | 'error'
type Token = { readonly kind: TokenKind; readonly text: string }

const SYMBOLS: ReadonlyMap<string, TokenKind> = new Map([
  [')', ')'],
  [',', ','],
  ['!', '!'],
  ['==', '=='],
  ['=', '='],
  ['>', 'gt'],
  ['<', 'lt'],
  ['!=', '!='],
  ['(', '('],
])
const SPECIAL = '=!(),><'
const WHITESPACE = ' \t\r\n'
const OPERATORS: ReadonlySet<TokenKind> = new Set(['in', 'notin', '=', '==', '!=', 'gt', 'lt'])
const OPERATORS_TEXT = 'in, notin, =, ==, !=, gt, lt'

/** The requirements in the order of the text. Throws StatusError 400. */
export function parseLabelRequirements(text: string): LabelRequirement[] {
  const parser = new Parser(tokenize(text))
  return parser.parse()
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = []
  // A NUL ends the text, as it does for upstream's lexer.
  const end = text.includes('\0') ? text.indexOf('\0') : text.length
  let position = 0
  while (position < end) {
    const start = text[position]!
    if (WHITESPACE.includes(start)) position++
    else {
      const token = SPECIAL.includes(start) ? symbolAt(text, position, end) : wordAt(text, position, end)
      tokens.push(token.token)
      position = token.next
    }
  }
  tokens.push({ kind: 'end', text: '' })
  return tokens
}

type Scanned = { readonly token: Token; readonly next: number }

function wordAt(text: string, start: number, end: number): Scanned {
  let next = start
  while (next < end && !SPECIAL.includes(text[next]!) && !WHITESPACE.includes(text[next]!)) next++
  const word = text.slice(start, next)
  const kind: TokenKind = word === 'in' || word === 'notin' ? word : 'identifier'
  return { token: { kind, text: word }, next }
}

/** The longest symbol that starts here. Every special character is one, alone or with its successor. */
function symbolAt(text: string, start: number, end: number): Scanned {
  const two = SYMBOLS.get(text.slice(start, Math.min(start + 2, end)))
  const length = two === undefined || start + 2 > end ? 1 : 2
  const symbol = text.slice(start, start + length)
  return { token: { kind: SYMBOLS.get(symbol) ?? 'error', text: symbol }, next: start + length }
}

class Parser {
  readonly #tokens: readonly Token[]
  #position = 0

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }

  parse(): LabelRequirement[] {
    const requirements: LabelRequirement[] = []
    for (;;) {
      const token = this.#peekValue()
      if (token.kind === 'end') return requirements
      if (token.kind !== 'identifier' && token.kind !== '!')
        throw badRequest(`found '${token.text}', expected: !, identifier, or 'end of string'`)
      requirements.push(this.#requirement())
      const separator = this.#nextValue()
      if (separator.kind === 'end') return requirements
      if (separator.kind !== ',') throw badRequest(`found '${separator.text}', expected: ',' or 'end of string'`)
      const following = this.#peekValue()
      if (following.kind !== 'identifier' && following.kind !== '!')
        throw badRequest(`found '${following.text}', expected: identifier after ','`)
    }
  }

  #requirement(): LabelRequirement {
    const negated = this.#peekValue().kind === '!'
    if (negated) this.#nextValue()
    const { kind, text: key } = this.#nextValue()
    if (kind !== 'identifier') throw unparsable(`found '${key}', expected: identifier`)
    const keyProblems = isQualifiedName(key)
    if (keyProblems.length > 0)
      throw unparsable(`<nil>: Invalid value: ${JSON.stringify(key)}: ${keyProblems.join('; ')}`)
    const after = this.#peekValue().kind
    if (negated) return checked({ key, operator: '!', values: [] })
    if (after === 'end' || after === ',') return checked({ key, operator: 'exists', values: [] })
    const operator = this.#operator()
    const values = operator === 'in' || operator === 'notin' ? this.#valueList() : this.#exactValue()
    return checked({ key, operator, values: [...new Set(values)].sort() })
  }

  #operator(): LabelOperator {
    const { kind, text } = this.#next()
    if (!OPERATORS.has(kind)) throw unparsable(`found '${text}', expected: ${OPERATORS_TEXT}`)
    return kind as LabelOperator
  }

  /** `=` may be followed by nothing: the empty value. */
  #exactValue(): string[] {
    const token = this.#peekValue()
    if (token.kind === 'end' || token.kind === ',') return ['']
    this.#nextValue()
    if (token.kind === 'identifier') return [token.text]
    throw unparsable(`found '${token.text}', expected: identifier`)
  }

  #valueList(): string[] {
    const open = this.#nextValue()
    if (open.kind !== '(') throw unparsable(`found '${open.text}' expected: '('`)
    const first = this.#peekValue()
    if (first.kind === ')') {
      this.#nextValue()
      return ['']
    }
    if (first.kind !== 'identifier' && first.kind !== ',')
      throw unparsable(`found '${first.text}', expected: ',', ')' or identifier`)
    const values = this.#identifiers()
    if (this.#nextValue().kind !== ')') throw unparsable(`found '${first.text}', expected: ')'`)
    return values
  }

  /** Commas without a value beside them stand for the empty value. Stops before the `)`. */
  #identifiers(): string[] {
    const values: string[] = []
    for (;;) {
      const { kind, text } = this.#nextValue()
      const following = this.#peekValue()
      if (kind === 'identifier') {
        values.push(text)
        if (following.kind === ')') return values
        if (following.kind !== ',') throw unparsable(`found '${following.text}', expected: ',' or ')'`)
      } else if (kind === ',') {
        if (values.length === 0 || following.kind === ',' || following.kind === ')') values.push('')
        if (following.kind === ')') return values
      } else throw unparsable(`found '${text}', expected: ',', or identifier`)
    }
  }

  #peek(): Token {
    return this.#tokens[this.#position] ?? this.#tokens.at(-1)!
  }

  #next(): Token {
    const token = this.#peek()
    this.#position++
    return token
  }

  /** Where a value or key may stand, `in` and `notin` are ordinary words. */
  #peekValue(): Token {
    return asWord(this.#peek())
  }

  #nextValue(): Token {
    return asWord(this.#next())
  }
}

function asWord(token: Token): Token {
  return token.kind === 'in' || token.kind === 'notin' ? { kind: 'identifier', text: token.text } : token
}

function checked(requirement: LabelRequirement): LabelRequirement {
  const problem = requirementProblem(requirement)
  if (problem !== null) throw unparsable(problem)
  return requirement
}

const unparsable = (why: string): Error => badRequest(`unable to parse requirement: ${why}`)
