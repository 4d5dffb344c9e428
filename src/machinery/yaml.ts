/** Reads YAML as Kubernetes does: YAML 1.1 scalars (`yes`, `0777`), no timestamps, keys as text, only the first document. */
import {
  binaryTag,
  defineMappingTag,
  defineScalarTag,
  dump,
  EVENT_ID,
  getScalarValue,
  loadAll,
  mergeTag,
  NOT_RESOLVED,
  parseEvents,
  Schema,
  seqTag,
  strTag,
  YAMLException,
  type Event,
} from 'js-yaml'
import { setField } from './schema/exact-json.ts'

/** Thrown for text that is no YAML; the message is close to that of Kubernetes (`yaml: line 3: …`). */
export class YamlError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'YamlError'
  }
}

export type ParsedYaml = {
  readonly value: unknown
  /** Keys that stand twice in a mapping, in order: `line 3: key "name" already set in map`. */
  readonly duplicates: readonly string[]
}

const DEPTH_MAX = 1000
/** Values after aliases are expanded: a small text can otherwise stand for billions. */
const EXPANDED_VALUES_MAX = 1_000_000

const NULLS = new Set(['', '~', 'null', 'Null', 'NULL'])
const TRUE = new Set(['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'])
const FALSE = new Set(['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'])
const INTEGER = /^[-+]?(?:0b[01]+|0o?[0-7]+|0x[\da-fA-F]+|\d+)$/
const FLOAT = /^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/

const never = (): boolean => false

const nullTag = defineScalarTag('tag:yaml.org,2002:null', {
  implicit: true,
  resolve: (text) => (NULLS.has(text) ? null : NOT_RESOLVED),
  identify: (value) => value === null,
  represent: () => 'null',
})
const boolTag = defineScalarTag('tag:yaml.org,2002:bool', {
  implicit: true,
  resolve: (text) => (TRUE.has(text) ? true : FALSE.has(text) ? false : NOT_RESOLVED),
  identify: (value) => typeof value === 'boolean',
})
const intTag = defineScalarTag('tag:yaml.org,2002:int', {
  implicit: true,
  resolve: (text) => parseInteger(text) ?? NOT_RESOLVED,
  identify: (value) => typeof value === 'bigint' || Number.isInteger(value),
})
const floatTag = defineScalarTag('tag:yaml.org,2002:float', {
  implicit: true,
  resolve: (text) => (FLOAT.test(text.replaceAll('_', '')) ? Number(text.replaceAll('_', '')) : NOT_RESOLVED),
  identify: (value) => typeof value === 'number',
})
/** `!!binary` gives text, as everything else that is no number. */
const binaryTextTag = defineScalarTag('tag:yaml.org,2002:binary', {
  resolve: (text) => {
    const bytes = binaryTag.resolve(text, true, binaryTag.tagName)
    return bytes === NOT_RESOLVED ? NOT_RESOLVED : Buffer.from(bytes as Uint8Array).toString('utf8')
  },
  identify: never,
})
const objectTag = defineMappingTag<Record<string, unknown>>('tag:yaml.org,2002:map', {
  create: () => ({}),
  addPair: (object, key, value) => {
    const name = keyText(key)
    if (name === null) return 'unsupported map key'
    setField(object, name, value)
    return ''
  },
  has: (object, key) => Object.hasOwn(object, keyText(key) ?? ''),
  keys: (object) => Object.keys(object),
  get: (object, key) => object[String(key)],
  identify: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  represent: (object) => new Map(Object.entries(object as Record<string, unknown>)),
})

const SCHEMA = new Schema([strTag, seqTag, objectTag, nullTag, boolTag, intTag, floatTag, mergeTag, binaryTextTag])

/** Octal with a leading nought, no base 60; beyond 2^53 exact, beyond 64 bits a floating point number. */
function parseInteger(text: string): number | bigint | null {
  const plain = text.replaceAll('_', '')
  if (!INTEGER.test(plain)) return null
  const sign = plain.startsWith('-') ? -1n : 1n
  const digits = plain.replace(/^[-+]/, '')
  const octal = /^0o?([0-7]+)$/.exec(digits)
  if (octal === null && /^0\d/.test(digits)) return null
  const value = sign * BigInt(octal === null ? digits : `0o${octal[1]}`)
  if (value > 2n ** 64n - 1n || value < -(2n ** 63n)) return null
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

function keyText(key: unknown): string | null {
  if (typeof key === 'string') return key
  return typeof key === 'number' || typeof key === 'bigint' || typeof key === 'boolean' ? String(key) : null
}

/** The first document of the text; empty text is null. */
export function parseYaml(text: string): unknown {
  return parseYamlStrictly(text).value
}

/** Like parseYaml, and names duplicate keys (the last one wins). */
export function parseYamlStrictly(text: string): ParsedYaml {
  if (text.trim() === '') return { value: null, duplicates: [] }
  try {
    const value = loadFirst(text, false)
    return { value, duplicates: [] }
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error
    if (error.reason !== 'duplicated mapping key') throw translate(error, text)
  }
  try {
    return { value: loadFirst(text, true), duplicates: findDuplicates(text) }
  } catch (error) {
    throw error instanceof YAMLException ? translate(error, text) : error
  }
}

/** All documents of the text, the empty ones left out: for files that hold several manifests. */
export function parseYamlDocuments(text: string): unknown[] {
  try {
    return loadAll(text, { schema: SCHEMA, json: true, maxDepth: DEPTH_MAX }).filter((value) => value != null)
  } catch (error) {
    throw error instanceof YAMLException ? translate(error, text) : error
  }
}

/** YAML text of a value, for answers and files. */
export function formatYaml(value: unknown): string {
  return dump(value, { sortKeys: true, lineWidth: -1, noRefs: true })
}

function loadFirst(text: string, allowDuplicates: boolean): unknown {
  const documents = loadAll(text, { schema: SCHEMA, json: allowDuplicates, maxDepth: DEPTH_MAX })
  const value = documents[0] ?? null
  if (text.includes('*') && sizeOf(value, text) > EXPANDED_VALUES_MAX)
    throw new YamlError('yaml: document contains excessive aliasing')
  return value
}

function sizeOf(value: unknown, text: string): number {
  try {
    return expandedSize(value, new Map())
  } catch (error) {
    if (!(error instanceof EndlessValueError)) throw error
    // Mostly the only one; to look for the right one would take time that grows with the square of the text.
    const [, name] = /&([^\s,[\]{}]+)/.exec(text) ?? []
    throw new YamlError(`yaml: anchor '${name}' value contains itself`)
  }
}

/** A value whose parts are being counted: to meet it again is to be inside of it. */
const UNDER_WAY = -1

class EndlessValueError extends Error {}

/** How many values there are once every alias is written out. */
function expandedSize(value: unknown, sizes: Map<object, number>): number {
  if (typeof value !== 'object' || value === null) return 1
  const known = sizes.get(value)
  if (known === UNDER_WAY) throw new EndlessValueError()
  if (known !== undefined) return known
  sizes.set(value, UNDER_WAY)
  let size = 1
  for (const item of Object.values(value)) size += expandedSize(item, sizes)
  sizes.set(value, size)
  return size
}

type Frame = { readonly keys: Set<string> | null; expectsKey: boolean }

/** Walks the parser's events, because only they know the lines of the keys. */
function findDuplicates(text: string): string[] {
  const duplicates: string[] = []
  const frames: Frame[] = []
  for (const event of parseEvents(text, { maxDepth: DEPTH_MAX })) visitEvent(event, { text, frames, duplicates })
  return duplicates
}

type EventWalk = { readonly text: string; readonly frames: Frame[]; readonly duplicates: string[] }

function visitEvent(event: Event, { text, frames, duplicates }: EventWalk): void {
  if (event.type === EVENT_ID.POP) {
    frames.pop()
    return
  }
  const frame = frames.at(-1)
  if (frame?.keys && frame.expectsKey && event.type === EVENT_ID.SCALAR) {
    const name = getScalarValue(text, event)
    if (frame.keys.has(name) && name !== '<<')
      duplicates.push(`line ${lineOf(text, event.valueStart)}: key ${JSON.stringify(name)} already set in map`)
    frame.keys.add(name)
  }
  if (frame) frame.expectsKey = !frame.expectsKey
  if (event.type === EVENT_ID.MAPPING) frames.push({ keys: new Set(), expectsKey: true })
  else if (event.type === EVENT_ID.SEQUENCE || event.type === EVENT_ID.DOCUMENT)
    frames.push({ keys: null, expectsKey: false })
}

const lineOf = (text: string, position: number): number => text.slice(0, position).split('\n').length

/** Our parser's reasons -> libyaml's. */
const REASONS: readonly (readonly [RegExp, string])[] = [
  [/bad indentation of a mapping entry/, 'mapping values are not allowed in this context'],
  [/bad indentation of a sequence entry/, "did not find expected '-' indicator"],
  [/tab characters/, 'found character that cannot start any token'],
  [/within a (?:double|single) quoted scalar/, 'found unexpected end of stream'],
  [/document separator is expected|implicit key|expected ':'/, "could not find expected ':'"],
  [/non-printable|null byte/, 'control characters are not allowed'],
  [/unknown escape sequence/, 'found unknown escape character'],
  [/directive name/, 'could not find expected directive name'],
]

/** libyaml tells the line from the second one on, and where an open bracket meets the end of the text. */
function translate(error: YAMLException, text: string): YamlError {
  const { reason, mark } = error
  if (mark === undefined) return new YamlError(`yaml: ${reasonOf(reason)}`)
  const before = text.slice(0, mark.position)
  const isFlow = IN_FLOW.test(reason)
  const isAtEnd = isFlow && mark.position >= text.trimEnd().length
  const line = mark.line === 0 && !isAtEnd ? '' : `line ${mark.line + 1}: `
  if (isFlow) return new YamlError(`yaml: ${line}did not find expected ',' or '${closingOf(before)}'`)
  const isStrange = /^[@`%]/.test(text.slice(mark.position))
  return new YamlError(`yaml: ${line}${isStrange ? 'found character that cannot start any token' : reasonOf(reason)}`)
}

const IN_FLOW = /within a flow collection|missed comma/

function reasonOf(reason: string): string {
  const alias = /unidentified alias "(.*)"/.exec(reason)
  if (alias !== null) return `unknown anchor '${alias[1]!}' referenced`
  return REASONS.find(([pattern]) => pattern.test(reason))?.[1] ?? reason
}

/** The bracket that closes the innermost open list or mapping. */
function closingOf(text: string): ']' | '}' {
  const open: string[] = []
  for (const [bracket] of text.matchAll(/[[\]{}]/g))
    if (bracket === '[' || bracket === '{') open.push(bracket)
    else open.pop()
  return open.at(-1) === '{' ? '}' : ']'
}
