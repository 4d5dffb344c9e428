/**
 * One step of a field path in the form that FieldsV1 writes: `f:` a field, `k:` the keys of a list item, `v:` a value of
 * a set, `i:` an index. The text is canonical, so equal steps are equal strings.
 */

export type PathElement = string

/** A name inside a list of maps: keys sorted by name. */
export type KeyField = readonly [name: string, value: unknown]

export const fieldElement = (name: string): PathElement => `f:${name}`

export function keyElement(fields: readonly KeyField[]): PathElement {
  const parts = fields.toSorted(byName).map(([name, value]) => `${goJson(name)}:${goJson(value)}`)
  return `k:{${parts.join(',')}}`
}

export const valueElement = (value: unknown): PathElement => `v:${goJson(value)}`

function byName([left]: KeyField, [right]: KeyField): number {
  return left < right ? -1 : left > right ? 1 : 0
}

/** Go's JSON: characters that mean something to HTML are escaped. */
function goJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(
    /[<>&\u2028\u2029]/g,
    (character) => String.raw`\u` + character.charCodeAt(0).toString(16).padStart(4, '0'),
  )
}

export class FieldsFormatError extends Error {}

/** Reads a step; null for a kind of step that is not known (it is skipped). Throws FieldsFormatError. */
export function parsePathElement(text: string): PathElement | null {
  if (text.length < 2) throw new FieldsFormatError('key must be 2 characters long:')
  if (text[1] !== ':') throw new FieldsFormatError(`missing colon: ${text}`)
  const rest = text.slice(2)
  switch (text[0]) {
    case 'f':
      return text
    case 'v':
      return valueElement(parseJson(rest))
    case 'k': {
      const keys = parseJson(rest)
      if (typeof keys !== 'object' || keys === null || Array.isArray(keys))
        throw new FieldsFormatError(`expected object: ${rest}`)
      return keyElement(Object.entries(keys))
    }
    case 'i':
      if (!/^[+-]?\d+$/.test(rest)) throw new FieldsFormatError(`invalid index: ${rest}`)
      return `i:${Number(rest)}`
    default:
      return null
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new FieldsFormatError(`invalid JSON: ${text}`)
  }
}

/** `.spec`, `[name="c"]`, `[="a"]`, `[3]`: how messages write a step. */
export function formatPathElement(element: PathElement): string {
  const rest = element.slice(2)
  switch (element[0]) {
    case 'f':
      return `.${rest}`
    case 'k': {
      const keys = Object.entries(JSON.parse(rest) as Record<string, unknown>).map(
        ([name, value]) => `${name}=${JSON.stringify(value)}`,
      )
      return `[${keys.join(',')}]`
    }
    case 'v':
      return `[=${JSON.stringify(JSON.parse(rest))}]`
    default:
      return `[${rest}]`
  }
}

export function formatPath(path: readonly PathElement[]): string {
  return path.map(formatPathElement).join('')
}

const KINDS = 'fkvi'

/** Upstream's order: fields, then keys, values and indices. */
export function comparePathElements(left: PathElement, right: PathElement): number {
  const kinds = KINDS.indexOf(left[0]!) - KINDS.indexOf(right[0]!)
  if (kinds !== 0) return kinds
  if (left[0] === 'f') return left < right ? -1 : left > right ? 1 : 0
  const leftValue: unknown = JSON.parse(left.slice(2))
  const rightValue: unknown = JSON.parse(right.slice(2))
  if (left[0] !== 'k') return compareScalars(leftValue, rightValue)
  return compareKeys(Object.entries(leftValue as object), Object.entries(rightValue as object))
}

function compareKeys(left: readonly KeyField[], right: readonly KeyField[]): number {
  for (const [position, [name, value]] of left.entries()) {
    const other = right[position]
    if (other === undefined) return 1
    if (name !== other[0]) return name < other[0] ? -1 : 1
    const order = compareScalars(value, other[1])
    if (order !== 0) return order
  }
  return left.length - right.length
}

const SCALAR_KINDS = ['number', 'string', 'boolean', 'object']

/** Numbers, then strings, then booleans. */
function compareScalars(left: unknown, right: unknown): number {
  if (typeof left !== typeof right) return SCALAR_KINDS.indexOf(typeof left) - SCALAR_KINDS.indexOf(typeof right)
  if (left === right || typeof left === 'object') return 0
  return (left as string) < (right as string) ? -1 : 1
}
