/** Finds members in JSON bytes without decoding them: what selectors ask of an object is found at a fraction of a full parse. */

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d

/** The bytes [start, end) of one JSON value. */
export type Span = { readonly start: number; readonly end: number }

/** The value at `path` below the object that starts at `from`; null when a member is missing. The bytes must be valid JSON. */
export function findPath(bytes: Buffer, path: readonly string[], from = 0): Span | null {
  let start = skipSpace(bytes, from)
  for (const name of path) {
    const found = findMember(bytes, start, name)
    if (found === -1) return null
    start = found
  }
  return { start, end: skipValue(bytes, start) }
}

/** Decodes the value at `path`; undefined when it is missing. */
export function readPath(bytes: Buffer, path: readonly string[]): unknown {
  const span = findPath(bytes, path)
  return span === null ? undefined : JSON.parse(bytes.toString('utf8', span.start, span.end))
}

/** Where the value of member `name` starts in the object at `at`; -1 when there is none. */
function findMember(bytes: Buffer, at: number, name: string): number {
  if (bytes[at] !== OPEN_BRACE) return -1
  let position = skipSpace(bytes, at + 1)
  while (bytes[position] === QUOTE) {
    const keyEnd = skipString(bytes, position)
    const value = skipSpace(bytes, skipSpace(bytes, keyEnd) + 1)
    if (keyEnd - position === name.length + 2 && isText(bytes, position + 1, name)) return value
    position = skipSpace(bytes, skipValue(bytes, value))
    if (bytes[position] === COMMA) position = skipSpace(bytes, position + 1)
  }
  return -1
}

/** The position after the value at `at`. */
function skipValue(bytes: Buffer, at: number): number {
  const first = bytes[at]
  if (first === QUOTE) return skipString(bytes, at)
  if (first === OPEN_BRACE || first === OPEN_BRACKET) return skipNested(bytes, at)
  let position = at
  while (position < bytes.length && !endsScalar(bytes[position]!)) position++
  return position
}

function skipNested(bytes: Buffer, at: number): number {
  let depth = 0
  let position = at
  while (position < bytes.length) {
    const byte = bytes[position]!
    if (byte === QUOTE) {
      position = skipString(bytes, position)
      continue
    }
    position++
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth++
    else if ((byte === CLOSE_BRACE || byte === CLOSE_BRACKET) && --depth === 0) return position
  }
  return position
}

function skipString(bytes: Buffer, at: number): number {
  let position = at + 1
  while (position < bytes.length) {
    const byte = bytes[position]!
    if (byte === QUOTE) return position + 1
    position += byte === BACKSLASH ? 2 : 1
  }
  return position
}

function skipSpace(bytes: Buffer, at: number): number {
  let position = at
  while (isSpace(bytes[position])) position++
  return position
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
}

function endsScalar(byte: number): boolean {
  return byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET || byte === COLON || isSpace(byte)
}

/** `name` is plain ASCII. */
function isText(bytes: Buffer, at: number, name: string): boolean {
  for (let index = 0; index < name.length; index++) if (bytes[at + index] !== name.charCodeAt(index)) return false
  return true
}
