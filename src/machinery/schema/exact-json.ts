/** A JSON parser that loses nothing: duplicate fields, large integers, how a number was written; and Go's words for broken JSON. */
import { quote } from '../quote.ts'
import { DecodeError } from './decode-error.ts'

/** A number whose text says more than its value: `1.0` and `1e3` are no integers to Go. */
export class NumberText {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

/** An object with its fields in order, duplicates included. */
export class ExactObject {
  readonly entries: [name: string, value: ExactValue][] = []
}

export type ExactValue = string | number | bigint | boolean | null | NumberText | ExactValue[] | ExactObject

/** Deeper nesting is refused: upstream does so from 10 000 on, but here it would exhaust the stack before. */
export const JSON_DEPTH_MAX = 1000

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
}

type JsonWithRaw = typeof JSON & { rawJSON(text: string): unknown }

// Large integers are BigInts in decoded objects, and JSON.stringify has no form for them unless they say so themselves.
if (!('toJSON' in BigInt.prototype))
  // oxlint-disable-next-line no-extend-native -- there is no other way to make JSON.stringify accept them.
  Object.defineProperty(BigInt.prototype, 'toJSON', {
    configurable: true,
    value(this: bigint) {
      return (JSON as JsonWithRaw).rawJSON(this.toString())
    },
  })

export function parseExactJson(text: string): ExactValue {
  const parser = new Parser(text)
  const value = parser.parseValue(0)
  parser.expectEnd()
  return value
}

/** What Go says of bytes that are no JSON, not even text; '' for those that are. */
export function jsonSyntaxProblem(bytes: Buffer): string {
  const parser = new Parser(bytes.toString('latin1'), (character) => character.charCodeAt(0))
  try {
    parser.parseValue(0)
    parser.expectEnd()
    return ''
  } catch (error) {
    if (error instanceof DecodeError) return error.message
    throw error
  }
}

/** The value as JavaScript has it; later duplicates win, and objects under the same name are merged, as Go does it. */
export function plainValue(value: ExactValue): unknown {
  if (Array.isArray(value)) return value.map(plainValue)
  if (!(value instanceof ExactObject)) return value
  const object: Record<string, unknown> = {}
  for (const [name, item] of value.entries) {
    const plain = plainValue(item)
    setField(object, name, Object.hasOwn(object, name) ? mergePlain(object[name], plain) : plain)
  }
  return object
}

/** Sets a field of any name: `__proto__` is one like the others. */
export function setField(object: Record<string, unknown>, name: string, value: unknown): void {
  if (name === '__proto__')
    Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true })
  else object[name] = value
}

function mergePlain(first: unknown, second: unknown): unknown {
  if (!isPlainObject(first) || !isPlainObject(second)) return second ?? first
  const merged = { ...first }
  for (const [name, value] of Object.entries(second))
    setField(merged, name, Object.hasOwn(merged, name) ? mergePlain(merged[name], value) : value)
  return merged
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof NumberText)
}

class Parser {
  readonly #text: string
  /** Go's parser sees bytes: of a longer character it names the first as one of its own. */
  readonly #byteOf: (character: string) => number
  #at = 0

  constructor(text: string, byteOf = (character: string): number => Buffer.from(character)[0]!) {
    this.#text = text
    this.#byteOf = byteOf
  }

  parseValue(depth: number): ExactValue {
    if (depth > JSON_DEPTH_MAX) throw new DecodeError(`invalid character '${this.#text[this.#at]}' exceeded max depth`)
    this.#skipSpace()
    const character = this.#text[this.#at]
    if (character === '{') return this.#parseObject(depth)
    if (character === '[') return this.#parseArray(depth)
    if (character === '"') return this.#parseString()
    if (character === 't') return this.#parseLiteral('true', true)
    if (character === 'f') return this.#parseLiteral('false', false)
    if (character === 'n') return this.#parseLiteral('null', null)
    if (character !== undefined && /[-\d]/.test(character)) return this.#parseNumber()
    return this.#fail('looking for beginning of value')
  }

  expectEnd(): void {
    this.#skipSpace()
    if (this.#at < this.#text.length) this.#fail('after top-level value')
  }

  #parseObject(depth: number): ExactObject {
    const object = new ExactObject()
    this.#at++
    this.#skipSpace()
    if (this.#skip('}')) return object
    for (;;) {
      this.#skipSpace()
      if (this.#text[this.#at] !== '"') this.#fail('looking for beginning of object key string')
      const name = this.#parseString()
      this.#skipSpace()
      if (!this.#skip(':')) this.#fail('after object key')
      object.entries.push([name, this.parseValue(depth + 1)])
      this.#skipSpace()
      if (this.#skip('}')) return object
      if (!this.#skip(',')) this.#fail('after object key:value pair')
    }
  }

  #parseArray(depth: number): ExactValue[] {
    const array: ExactValue[] = []
    this.#at++
    this.#skipSpace()
    if (this.#skip(']')) return array
    for (;;) {
      array.push(this.parseValue(depth + 1))
      this.#skipSpace()
      if (this.#skip(']')) return array
      if (!this.#skip(',')) this.#fail('after array element')
    }
  }

  #parseString(): string {
    let value = ''
    this.#at++
    for (;;) {
      const start = this.#at
      while (this.#at < this.#text.length && this.#text[this.#at]! >= ' ' && !'"\\'.includes(this.#text[this.#at]!))
        this.#at++
      value += this.#text.slice(start, this.#at)
      if (this.#skip('"')) return value
      if (this.#text[this.#at] !== '\\') this.#fail('in string literal')
      this.#at++
      value += this.#parseEscape()
    }
  }

  #parseEscape(): string {
    const character = this.#text[this.#at] ?? ''
    const plain = ESCAPES[character]
    if (plain !== undefined) {
      this.#at++
      return plain
    }
    if (character !== 'u') this.#fail('in string escape code')
    this.#at++
    const start = this.#at
    for (; this.#at < start + 4; this.#at++)
      if (!/[\da-fA-F]/.test(this.#text[this.#at] ?? '')) this.#fail('in \\u hexadecimal character escape')
    return String.fromCharCode(Number.parseInt(this.#text.slice(start, this.#at), 16))
  }

  #parseLiteral<T>(word: string, value: T): T {
    for (let position = 1; position < word.length; position++) {
      this.#at++
      if (this.#text[this.#at] !== word[position]) this.#fail(`in literal ${word} (expecting '${word[position]}')`)
    }
    this.#at++
    return value
  }

  #parseNumber(): number | bigint | NumberText {
    const start = this.#at
    this.#skip('-')
    if (!this.#skip('0') && !this.#skipDigits()) this.#fail('in numeric literal')
    if (this.#skip('.') && !this.#skipDigits()) this.#fail('after decimal point in numeric literal')
    if (this.#skip('e') || this.#skip('E')) {
      if (!this.#skip('+')) this.#skip('-')
      if (!this.#skipDigits()) this.#fail('in exponent of numeric literal')
    }
    const text = this.#text.slice(start, this.#at)
    if (!/^-?\d+$/.test(text)) return new NumberText(text)
    const value = Number(text)
    return Number.isSafeInteger(value) ? value : BigInt(text)
  }

  #skipDigits(): boolean {
    const start = this.#at
    while (this.#text.charCodeAt(this.#at) >= 48 && this.#text.charCodeAt(this.#at) <= 57) this.#at++
    return this.#at > start
  }

  #skip(character: string): boolean {
    if (this.#text[this.#at] !== character) return false
    this.#at++
    return true
  }

  #skipSpace(): void {
    while (this.#at < this.#text.length && ' \t\r\n'.includes(this.#text[this.#at]!)) this.#at++
  }

  #fail(where: string): never {
    const character = this.#text[this.#at]
    if (character === undefined) throw new DecodeError('unexpected end of JSON input')
    throw new DecodeError(`invalid character ${quoteByte(this.#byteOf(character))} ${where}`)
  }
}

/** `'x'`, `'\''`, `'"'`, `'\n'`. */
function quoteByte(byte: number): string {
  const character = String.fromCharCode(byte)
  if (character === "'") return String.raw`'\''`
  if (character === '"') return `'"'`
  return `'${quote(character).slice(1, -1)}'`
}
