/** Which share of a collection a list or watch asks for: ranges of the hash of one field. */
import { parseCel } from '../cel/parser.ts'
import { textOfLiteral } from '../cel/string-literal.ts'
import { CelError, type CelNode } from '../cel/syntax-tree.ts'
import { quote } from '../quote.ts'
import { hashOf, isBelow, type Hash } from './shard-hash.ts'

/** Why a selector cannot be read, in upstream's words. */
export class ShardSelectorError extends Error {}

const FIELDS = ['object.metadata.uid', 'object.metadata.namespace'] as const
export type ShardField = (typeof FIELDS)[number]

export type ShardSelector = {
  readonly field: ShardField
  /** The same selector as upstream writes it. */
  readonly text: string
  /** Whether an object belongs to the share whose field has this value. */
  matches(value: string): boolean
}

type ShardRange = { readonly field: ShardField; readonly start: string; readonly end: string }

/** The kinds of expressions by upstream's numbers, which its refusals name. */
const EXPRESSION_KINDS = { call: 1, ident: 3, list: 4, literal: 5, map: 6, select: 7, message: 8 }
/** 2^64, the only bound of 17 digits. */
const HASH_END = '0x10000000000000000'

/** Throws ShardSelectorError. */
export function parseShardSelector(expression: string): ShardSelector {
  const text = expression.trim()
  if (text === '') throw refuse('empty shard selector is not allowed; omit the parameter for unfiltered lists')
  const ranges = readRanges(parse(text))
  const { field } = ranges[0]!
  const other = ranges.find((range) => range.field !== field)
  if (other !== undefined)
    throw refuse(`all shard ranges must use the same field, got ${quote(field)} and ${quote(other.field)}`)
  const bounds = ranges.map(({ start, end }) => [boundOf(start), boundOf(end)] as const)
  return {
    field,
    text: ranges.map(({ start, end }) => `shardRange(${field}, '${start}', '${end}')`).join(' || '),
    matches: (value) => {
      const hash = hashOf(value)
      return bounds.some(([start, end]) => !isBelow(hash, start) && isBelow(hash, end))
    },
  }
}

function parse(text: string): CelNode {
  try {
    return parseCel(text, { optionalSyntax: false })
  } catch (error) {
    if (!(error instanceof CelError)) throw error
    throw refuse(`CEL parse error: ${(error.earlier[0] ?? error).message}`)
  }
}

function readRanges(node: CelNode): ShardRange[] {
  if (node.kind !== 'call')
    throw refuse(`unexpected expression kind ${kindOf(node)}; expected shardRange() call or || operator`)
  if (node.name === '_||_') return node.args.flatMap(readRanges)
  if (node.name === 'shardRange') return [readRange(node.args)]
  throw refuse(`unsupported function ${quote(node.name)}; only shardRange() and || are allowed`)
}

function readRange(args: readonly CelNode[]): ShardRange {
  const [first, second, third] = args
  if (args.length !== 3 || first === undefined || second === undefined || third === undefined)
    throw refuse(`shardRange() requires exactly 3 arguments, got ${args.length}`)
  const path = readPath(first)
  const field = FIELDS.find((known) => known === path)
  if (field === undefined) throw refuse(`unsupported field path ${quote(path)}; supported: ${FIELDS.join(', ')}`)
  const start = readBound(second, 'hexStart')
  const end = readBound(third, 'hexEnd')
  if (!isBelow(boundOf(start), boundOf(end))) throw refuse(`shard range start ${start} must be less than end ${end}`)
  return { field, start, end }
}

function readPath(node: CelNode): string {
  const fields: string[] = []
  let first = node
  for (; first.kind === 'select'; first = first.operand) fields.unshift(first.field)
  if (first.kind === 'ident') return [first.name, ...fields].join('.')
  throw refuse(
    `shardRange() first argument: expected field path (e.g. object.metadata.uid), got expression kind ${kindOf(first)}`,
  )
}

function readBound(node: CelNode, name: string): string {
  if (node.kind !== 'literal')
    throw refuse(`${name} must be a string literal (e.g. '0xff'), got expression kind ${kindOf(node)}`)
  const bound = textOfLiteral(node.text)
  if (bound === null) throw refuse(`${name} must be a string literal, got ${goTypeOf(node.text)}`)
  if (!bound.startsWith('0x')) throw refuse(`${name} must have '0x' prefix, got ${quote(bound)}`)
  const hex = bound.slice(2)
  if (hex === '') throw refuse(`${name}: hex value is required after '0x'`)
  const bytes = Buffer.byteLength(hex)
  if (bytes > 17) throw refuse(`${name}: hex value too long (${bytes} chars, max 17): ${quote(hex)}`)
  const strange = [...hex].find((character) => !/[\da-f]/.test(character))
  if (strange !== undefined) throw refuse(`${name}: invalid hex character ${quote(strange)} in ${quote(bound)}`)
  checkLength(bound, name)
  return bound
}

function checkLength(bound: string, name: string): void {
  const digits = bound.length - 2
  if (digits === 16 || bound === HASH_END) return
  if (digits === 17) throw refuse(`${name}: 17-digit hex value must be '${HASH_END}' (2^64), got ${quote(bound)}`)
  const padded = `0x${bound.slice(2).padStart(16, '0')}`
  throw refuse(`${name} must be a 0x-prefixed 16-digit hex value, got ${quote(bound)} (did you mean ${quote(padded)}?)`)
}

const boundOf = (bound: string): Hash => ({
  high: Number.parseInt(bound.slice(2, -8), 16),
  low: Number.parseInt(bound.slice(-8), 16),
})

const kindOf = (node: CelNode): number => EXPRESSION_KINDS[node.kind === 'made' ? node.of : node.kind]

/** The type of a literal that is no string, as Go prints it. */
function goTypeOf(literal: string): string {
  if (literal === 'null') return 'structpb.NullValue'
  if (literal === 'true' || literal === 'false') return 'bool'
  if (/^b[rR]?['"]/i.test(literal)) return '[]uint8'
  if (/u$/i.test(literal)) return 'uint64'
  return /^-?0x/.test(literal) || !/[.e]/i.test(literal) ? 'int64' : 'float64'
}

const refuse = (message: string): ShardSelectorError => new ShardSelectorError(message)
