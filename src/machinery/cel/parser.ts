/** Parses the Common Expression Language with the extensions that Kubernetes turns on: optional syntax and quoted fields. */
import { readTokens, type Token } from './lexer.ts'
import { CelError, type CelNode } from './syntax-tree.ts'

/** Larger and deeper expressions are refused, as upstream's parser does. */
const CODE_POINTS_MAX = 100_000
const DEPTH_MAX = 250
/** Selections, indexes and calls behind one another. */
const MEMBERS_MAX = 249

/** Words that no variable may have as its name. */
const RESERVED = new Set(
  'as break const continue else for function if import let loop package namespace return var void while'.split(' '),
)
const LITERALS = new Set(['true', 'false', 'null'])

type Level = { readonly operators: ReadonlySet<string>; readonly chainMax: number }

/** Operators by how tightly they bind, the loosest first, and how many may follow one another. */
const LEVELS: readonly Level[] = [
  { operators: new Set(['||']), chainMax: Infinity },
  { operators: new Set(['&&']), chainMax: Infinity },
  { operators: new Set(['<', '<=', '>', '>=', '==', '!=', 'in']), chainMax: 250 },
  { operators: new Set(['+', '-']), chainMax: 249 },
  { operators: new Set(['*', '/', '%']), chainMax: 249 },
]

export type CelOptions = {
  /** Whether `a.?b`, `a[?b]`, `[?a]` and `{?a: b}` may be written; they may unless it says no. */
  readonly optionalSyntax?: boolean
}

/** Throws CelError for a text that is no expression. */
export function parseCel(text: string, { optionalSyntax = true }: CelOptions = {}): CelNode {
  checkSize(text)
  const { tokens, errors } = readTokens(text)
  return new Parser(tokens, errors, optionalSyntax).parse()
}

function checkSize(text: string): void {
  if (text.length <= CODE_POINTS_MAX) return
  let size = 0
  for (const _ of text) size++
  if (size > CODE_POINTS_MAX)
    throw new CelError(`expression code point size exceeds limit: size: ${size}, limit ${CODE_POINTS_MAX}`, null)
}

class Parser {
  readonly #tokens: readonly Token[]
  /** Errors after which the parser could go on. */
  readonly #errors: CelError[]
  readonly #optionalSyntax: boolean
  #position = 0
  #depth = 0

  constructor(tokens: readonly Token[], errors: readonly CelError[], optionalSyntax: boolean) {
    this.#tokens = tokens
    this.#errors = [...errors]
    this.#optionalSyntax = optionalSyntax
  }

  parse(): CelNode {
    try {
      const node = this.#expression()
      if (this.#token.kind !== 'end') throw this.#unexpected('<EOF>', this.#next.kind === 'end')
      const last = this.#errors.pop()
      if (last !== undefined) throw last
      return node
    } catch (error) {
      if (!(error instanceof CelError)) throw error
      throw new CelError(error.message, error.offset, this.#errors)
    }
  }

  get #token(): Token {
    return this.#tokens[this.#position]!
  }

  #isAt(...texts: string[]): boolean {
    const { kind, text } = this.#token
    return (kind === 'operator' || kind === 'ident') && texts.includes(text)
  }

  #accept(text: string): boolean {
    if (!this.#isAt(text)) return false
    this.#position++
    return true
  }

  /** Whether a question mark stands here that makes what follows optional. */
  #acceptOptional(syntax: '?' | '.?'): boolean {
    const { offset } = this.#token
    if (!this.#accept('?')) return false
    if (!this.#optionalSyntax) throw new CelError(`unsupported syntax '${syntax}'`, offset)
    return true
  }

  get #next(): Token {
    return this.#tokens[this.#position + 1] ?? this.#token
  }

  #unexpected(expected: string, isExtra: boolean): CelError {
    const { text, offset } = this.#token
    return syntaxError(`${isExtra ? 'extraneous' : 'mismatched'} input '${text}' expecting ${expected}`, offset)
  }

  /** As upstream's parser: one token too many is dropped, a missing one is thought of, anything else ends the reading. */
  #expect(text: string, mayFollow: (token: Token) => boolean): void {
    if (this.#accept(text)) return
    const token = this.#token
    if (isOperator(this.#next, text)) {
      this.#errors.push(this.#unexpected(`'${text}'`, true))
      this.#position += 2
    } else if (mayFollow(token)) this.#errors.push(syntaxError(`missing '${text}' at '${token.text}'`, token.offset))
    else throw this.#unexpected(`'${text}'`, false)
  }

  /** True for what may come after an operand that is whole: a comma or a bracket only where another one is open. */
  #canEnd(token: Token): boolean {
    if (token.kind === 'end' || isBinary(token) || isOperator(token, '.', '[')) return true
    return this.#depth > 1 && isOperator(token, ')', ']', '}', ',', ':')
  }

  /** The parser stands before one of several things; one token too many is dropped. */
  #checkAt(expected: string, isExpected: (token: Token) => boolean): void {
    if (isExpected(this.#token)) return
    const isExtra = isExpected(this.#next)
    const error = this.#unexpected(expected, isExtra)
    if (!isExtra) throw error
    this.#errors.push(error)
    this.#position++
  }

  #expression(): CelNode {
    if (++this.#depth > DEPTH_MAX) throw new CelError(`expression recursion limit exceeded: ${DEPTH_MAX}`, null)
    const condition = this.#binary(0)
    let node = condition
    if (this.#accept('?')) {
      const then = this.#binary(0)
      this.#expect(':', canBegin)
      node = call('_?_:_', condition, then, this.#expression())
    }
    this.#depth--
    return node
  }

  /** Operators that bind alike are one node: a long run of them is no deep tree. */
  #binary(index: number): CelNode {
    const level = LEVELS[index]
    if (level === undefined) return this.#unary()
    const operands = [this.#binary(index + 1)]
    let name = ''
    while (level.operators.has(this.#token.text) && this.#isAt(this.#token.text)) {
      if (operands.length > level.chainMax) throw tooLong()
      name = this.#isAt('in') ? '@in' : `_${this.#token.text}_`
      this.#position++
      operands.push(this.#binary(index + 1))
    }
    return operands.length === 1 ? operands[0]! : call(name, ...operands)
  }

  #unary(): CelNode {
    if (this.#isNegativeNumber()) return this.#member()
    for (const operator of ['!', '-'])
      if (this.#accept(operator)) {
        let count = 1
        while (this.#accept(operator)) count++
        this.#checkOperand(operator)
        // Two of them are none.
        return count % 2 === 0 ? this.#member() : call(`${operator}_`, this.#member())
      }
    return this.#member()
  }

  /** At the end of the text upstream's parser gives up in two ways. */
  #checkOperand(operator: string): void {
    if (this.#token.kind !== 'end') return
    if (operator === '!') throw this.#unexpected(BEGINNINGS, true)
    this.#errors.push(syntaxError(`no viable alternative at input '-'`, this.#token.offset))
  }

  #isNegativeNumber(): boolean {
    return this.#isAt('-') && this.#next.kind === 'number'
  }

  #member(): CelNode {
    let node = this.#primary()
    for (let members = 0; ; members++) {
      if (members > MEMBERS_MAX) throw tooLong()
      const { offset } = this.#token
      if (this.#accept('.')) node = this.#selection(node, offset)
      else if (this.#accept('[')) {
        if (!canBegin(this.#token))
          this.#checkAt(beginnings("'!', '?'"), (token) => canBegin(token) || isOperator(token, '?'))
        this.#acceptOptional('?')
        const index = this.#expression()
        this.#expect(']', (token) => this.#canEnd(token))
        node = call('_[_]', node, index)
      } else if (this.#isAt('{') && isName(node)) node = this.#message()
      else return node
    }
  }

  #selection(operand: CelNode, offset: number): CelNode {
    const isOptional = this.#acceptOptional('.?')
    const { kind, text, offset: at } = this.#token
    if (kind !== 'ident' && kind !== 'quoted-ident')
      throw syntaxError(`no viable alternative at input '.${kind === 'end' ? '' : text}'`, at)
    this.#position++
    if (!isOptional && kind === 'ident' && this.#accept('('))
      return { kind: 'call', target: operand, name: text, args: this.#list(')') }
    return { kind: 'select', operand, field: text.replaceAll('`', ''), offset }
  }

  #primary(): CelNode {
    // The sign of a number may follow another operator, that of anything else may not.
    const isNegative = this.#isNegativeNumber()
    if (isNegative) this.#position++
    const token = this.#token
    if (token.kind === 'number' || token.kind === 'string' || (token.kind === 'ident' && LITERALS.has(token.text))) {
      this.#position++
      return { kind: 'literal', text: `${isNegative ? '-' : ''}${token.text}` }
    }
    if (this.#accept('(')) {
      const node = this.#expression()
      this.#expect(')', (token) => this.#canEnd(token))
      return node
    }
    if (this.#accept('[')) return { kind: 'made', of: 'list', parts: this.#list(']') }
    if (this.#accept('{')) {
      this.#checkAt(
        beginnings("'!', '?'", "'{', '}', '('", "'.', ','"),
        (one) => canBegin(one) || isOperator(one, '}', ',', '?'),
      )
      return { kind: 'made', of: 'map', parts: this.#entries(() => [this.#expression()]) }
    }
    const isRooted = this.#accept('.')
    if (isRooted && this.#token.kind !== 'ident') {
      const { kind, text, offset } = this.#token
      throw syntaxError(`no viable alternative at input '.${kind === 'end' ? '' : text}'`, offset)
    }
    return this.#identifier(isRooted ? '.' : '')
  }

  #identifier(root: string): CelNode {
    const { kind, text, offset } = this.#token
    if (kind !== 'ident' || text === 'in') {
      const isExtra = kind !== 'end' && canBegin(this.#next)
      const error = this.#unexpected(BEGINNINGS, isExtra)
      if (!isExtra && !isBinary(this.#token)) throw error
      this.#errors.push(error)
      // Before an operator upstream's parser goes on as if there were an operand.
      if (!isExtra) return { kind: 'literal', text: '' }
      this.#position++
      return this.#unary()
    }
    if (RESERVED.has(text)) throw new CelError(`reserved identifier: ${text}`, offset)
    this.#position++
    if (this.#accept('(')) return { kind: 'call', target: null, name: `${root}${text}`, args: this.#list(')') }
    return { kind: 'ident', name: `${root}${text}`, offset }
  }

  /** The fields of a message whose type was read. */
  #message(): CelNode {
    this.#position++
    this.#checkAt(
      "{'}', ',', '?', IDENTIFIER, ESC_IDENTIFIER}",
      (token) => isFieldName(token) || isOperator(token, '}', ',', '?'),
    )
    const parts = this.#entries(() => {
      const { kind, text, offset } = this.#token
      if (kind !== 'ident' && kind !== 'quoted-ident')
        throw syntaxError(`mismatched input '${text}' expecting IDENTIFIER`, offset)
      this.#position++
      return []
    })
    return { kind: 'made', of: 'message', parts }
  }

  /** `key: value` pairs up to the closing brace, a comma at the end allowed. */
  #entries(readKey: () => CelNode[]): CelNode[] {
    const parts: CelNode[] = []
    while (!this.#accept('}')) {
      this.#acceptOptional('?')
      parts.push(...readKey())
      this.#expect(':', canBegin)
      parts.push(this.#expression())
      this.#checkAt("{'}', ','}", (token) => isOperator(token, '}', ','))
      if (!this.#accept(',') || canBegin(this.#token) || isFieldName(this.#token) || this.#isAt('?')) continue
      this.#expect('}', (token) => this.#canEnd(token))
      return parts
    }
    return parts
  }

  /** Arguments, or the items of a list, up to the closing bracket. Only lists may end with a comma, or hold optional items. */
  #list(close: ')' | ']'): CelNode[] {
    const items: CelNode[] = []
    if (this.#accept(close)) return items
    if (close === ']')
      this.#checkAt(
        beginnings("'!', '?'", "']', '{', '('", "'.', ','"),
        (one) => canBegin(one) || isOperator(one, '?', ','),
      )
    else this.#checkAt(beginnings("'!'", "'{', '(', ')'"), (one) => canBegin(one) || isOperator(one, ')'))
    if (this.#accept(close)) return items
    for (;;) {
      if (close === ']') this.#acceptOptional('?')
      items.push(this.#expression())
      if (close === ']') this.#checkAt("{']', ','}", (token) => isOperator(token, ']', ','))
      const isMore = this.#accept(',') && (close === ')' || canBegin(this.#token) || this.#isAt('?'))
      if (isMore) continue
      this.#expect(close, (token) => this.#canEnd(token))
      return items
    }
  }
}

const call = (name: string, ...args: readonly CelNode[]): CelNode => ({ kind: 'call', target: null, name, args })

const syntaxError = (message: string, offset: number): CelError => new CelError(`Syntax error: ${message}`, offset)

/** What may begin an operand, with what else may stand in its place. */
function beginnings(signs: string, brackets = "'{', '('", dots = "'.'"): string {
  return `{'[', ${brackets}, ${dots}, '-', ${signs}, 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}`
}

const BEGINNINGS = beginnings("'!'")

const isOperator = ({ kind, text }: Token, ...texts: readonly string[]): boolean =>
  kind === 'operator' && texts.includes(text)

const isFieldName = ({ kind }: Token): boolean => kind === 'ident' || kind === 'quoted-ident'

/** True for what stands between two operands. */
const isBinary = (token: Token): boolean =>
  isOperator(token, '?') || LEVELS.some(({ operators }) => operators.has(token.text) && token.kind === 'operator')

/** True for the first token of an operand. */
function canBegin({ kind, text }: Token): boolean {
  if (kind === 'operator') return BEGINNING_OPERATORS.has(text)
  return kind === 'number' || kind === 'string' || (kind === 'ident' && text !== 'in')
}

const BEGINNING_OPERATORS = new Set(['[', '{', '(', '.', '-', '!'])

const tooLong = (): CelError => new CelError('max recursion depth exceeded', null)

/** The name of a type can stand before a brace: `Object.spec{…}`. */
function isName(node: CelNode): boolean {
  let first = node
  while (first.kind === 'select') first = first.operand
  return first.kind === 'ident'
}
