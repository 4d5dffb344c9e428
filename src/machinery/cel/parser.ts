/** Parses the Common Expression Language with the extensions that Kubernetes turns on: optional syntax and quoted fields. */
import { readTokens, type Token } from './lexer.ts'
import { CelError, type CelNode } from './syntax-tree.ts'

/** Larger and deeper expressions are refused, as upstream's parser does. */
const CODE_POINTS_MAX = 100_000
const DEPTH_MAX = 250
/** Selections, indexes and calls behind one another. */
const MEMBERS_MAX = 249
const BEGINNINGS =
  "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}"

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

/** Throws CelError for a text that is no expression. */
export function parseCel(text: string): CelNode {
  checkSize(text)
  return new Parser(readTokens(text)).parse()
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
  readonly #errors: CelError[] = []
  #position = 0
  #depth = 0

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }

  parse(): CelNode {
    try {
      const node = this.#expression()
      const { kind, text, offset } = this.#token
      if (kind !== 'end') throw new CelError(`extraneous input '${text}' expecting <EOF>`, offset)
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

  #expect(text: string): void {
    const { text: found, offset } = this.#token
    if (!this.#accept(text)) throw new CelError(`mismatched input '${found}' expecting '${text}'`, offset)
  }

  #expression(): CelNode {
    if (++this.#depth > DEPTH_MAX) throw new CelError(`expression recursion limit exceeded: ${DEPTH_MAX}`, null)
    const condition = this.#binary(0)
    let node = condition
    if (this.#accept('?')) {
      const then = this.#binary(0)
      this.#expect(':')
      node = call('?:', condition, then, this.#expression())
    }
    this.#depth--
    return node
  }

  /** Operators that bind alike are one node: a long run of them is no deep tree. */
  #binary(index: number): CelNode {
    const level = LEVELS[index]
    if (level === undefined) return this.#unary()
    const operands = [this.#binary(index + 1)]
    while (level.operators.has(this.#token.text) && this.#isAt(this.#token.text)) {
      if (operands.length > level.chainMax) throw tooLong()
      this.#position++
      operands.push(this.#binary(index + 1))
    }
    return operands.length === 1 ? operands[0]! : call(OPERATORS, ...operands)
  }

  #unary(): CelNode {
    for (const operator of ['!', '-'])
      if (this.#accept(operator)) {
        while (this.#accept(operator)) continue
        return call(operator, this.#member())
      }
    return this.#member()
  }

  #member(): CelNode {
    let node = this.#primary()
    for (let members = 0; ; members++) {
      if (members > MEMBERS_MAX) throw tooLong()
      const { offset } = this.#token
      if (this.#accept('.')) node = this.#selection(node, offset)
      else if (this.#accept('[')) {
        this.#accept('?')
        const index = this.#expression()
        this.#expect(']')
        node = call('[]', node, index)
      } else if (this.#isAt('{') && isName(node)) node = this.#message()
      else return node
    }
  }

  #selection(operand: CelNode, offset: number): CelNode {
    const isOptional = this.#accept('?')
    const { kind, text, offset: at } = this.#token
    if (kind !== 'ident' && kind !== 'quoted-ident') throw new CelError(`no viable alternative at input '.${text}'`, at)
    this.#position++
    if (!isOptional && kind === 'ident' && this.#accept('('))
      return { kind: 'call', target: operand, name: text, args: this.#list(')') }
    return { kind: 'select', operand, field: text.replaceAll('`', ''), offset }
  }

  #primary(): CelNode {
    // The sign of a number may follow another operator, that of anything else may not.
    if (this.#isAt('-') && this.#tokens[this.#position + 1]?.kind === 'number') this.#position++
    const token = this.#token
    if (token.kind === 'number' || token.kind === 'string' || (token.kind === 'ident' && LITERALS.has(token.text))) {
      this.#position++
      return { kind: 'literal' }
    }
    if (this.#accept('(')) {
      const node = this.#expression()
      this.#expect(')')
      return node
    }
    if (this.#accept('[')) return { kind: 'made', parts: this.#list(']') }
    if (this.#accept('{')) return { kind: 'made', parts: this.#entries(() => [this.#expression()]) }
    if (this.#accept('.') && this.#token.kind !== 'ident')
      throw new CelError(`no viable alternative at input '.${this.#token.text}'`, this.#token.offset)
    return this.#identifier()
  }

  #identifier(): CelNode {
    const { kind, text, offset } = this.#token
    if (kind !== 'ident' || text === 'in') {
      const next = this.#tokens[this.#position + 1]
      if (next === undefined || !canBegin(next))
        throw new CelError(`mismatched input '${text}' expecting ${BEGINNINGS}`, offset)
      // One token too many: upstream's parser says so, and reads on behind it.
      this.#errors.push(new CelError(`extraneous input '${text}' expecting ${BEGINNINGS}`, offset))
      this.#position++
      return this.#primary()
    }
    if (RESERVED.has(text)) throw new CelError(`reserved identifier: ${text}`, offset)
    this.#position++
    if (this.#accept('(')) return { kind: 'call', target: null, name: text, args: this.#list(')') }
    return { kind: 'ident', name: text, offset }
  }

  /** The fields of a message whose type was read. */
  #message(): CelNode {
    this.#expect('{')
    const parts = this.#entries(() => {
      const { kind, text, offset } = this.#token
      if (kind !== 'ident' && kind !== 'quoted-ident')
        throw new CelError(`mismatched input '${text}' expecting IDENTIFIER`, offset)
      this.#position++
      return []
    })
    return { kind: 'made', parts }
  }

  /** `key: value` pairs up to the closing brace, a comma at the end allowed. */
  #entries(readKey: () => CelNode[]): CelNode[] {
    const parts: CelNode[] = []
    while (!this.#accept('}')) {
      this.#accept('?')
      parts.push(...readKey())
      this.#expect(':')
      parts.push(this.#expression())
      if (!this.#isAt('}')) this.#expect(',')
    }
    return parts
  }

  /** Arguments, or the items of a list, up to the closing bracket. Only lists may end with a comma, or hold optional items. */
  #list(close: ')' | ']'): CelNode[] {
    const items: CelNode[] = []
    if (this.#accept(close)) return items
    for (;;) {
      if (close === ']') this.#accept('?')
      items.push(this.#expression())
      if (this.#accept(close)) return items
      this.#expect(',')
      if (close === ']' && this.#accept(close)) return items
    }
  }
}

const call = (name: string, ...args: readonly CelNode[]): CelNode => ({ kind: 'call', target: null, name, args })

/** True for the first token of an operand. */
function canBegin({ kind, text }: Token): boolean {
  if (kind === 'operator') return BEGINNING_OPERATORS.has(text)
  return kind === 'number' || kind === 'string' || (kind === 'ident' && text !== 'in')
}

const BEGINNING_OPERATORS = new Set(['[', '{', '(', '.', '-', '!'])

const OPERATORS = '_op_'

const tooLong = (): CelError => new CelError('max recursion depth exceeded', null)

/** The name of a type can stand before a brace: `Object.spec{…}`. */
function isName(node: CelNode): boolean {
  let first = node
  while (first.kind === 'select') first = first.operand
  return first.kind === 'ident'
}
