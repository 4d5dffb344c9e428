/** Writes an object as YAML the way Go's writer does: sorted keys, lists under their key without indentation. */
import { writeScalar } from './yaml-scalar.ts'

export function writeYaml(value: unknown): string {
  return isFilled(value) ? `${lines(value, 0).join('\n')}\n` : `${leaf(value, { column: 0, indent: 0 })}\n`
}

/** A member of a list that stands at the left margin. */
export const writeYamlItem = (value: unknown): string => `${listLines([value], 0).join('\n')}\n`

type Filled = readonly unknown[] | Readonly<Record<string, unknown>>

const isFilled = (value: unknown): value is Filled =>
  typeof value === 'object' && value !== null && Object.keys(value).length > 0

function lines(value: Filled, indent: number): string[] {
  return Array.isArray(value)
    ? listLines(value as readonly unknown[], indent)
    : mapLines(value as Record<string, unknown>, indent)
}

function mapLines(map: Readonly<Record<string, unknown>>, indent: number): string[] {
  const margin = ' '.repeat(indent)
  const output: string[] = []
  for (const key of Object.keys(map).toSorted(compareKeys)) {
    const value = map[key]
    if (value === undefined) continue
    const head = `${margin}${writeScalar(key, { column: indent, indent, isKey: true })}:`
    if (isFilled(value)) output.push(head, ...lines(value, Array.isArray(value) ? indent : indent + 2))
    else output.push(`${head} ${leaf(value, { column: head.length + 1, indent: indent + 2 })}`)
  }
  return output
}

function listLines(list: readonly unknown[], indent: number): string[] {
  const margin = ' '.repeat(indent)
  return list.flatMap((value) => {
    if (!isFilled(value)) return [`${margin}- ${leaf(value, { column: indent + 2, indent: indent + 2 })}`]
    const [first, ...rest] = lines(value, indent + 2)
    return [`${margin}- ${first!.slice(indent + 2)}`, ...rest]
  })
}

function leaf(value: unknown, place: { readonly column: number; readonly indent: number }): string {
  if (typeof value === 'string') return writeScalar(value, { ...place, isKey: false })
  if (Array.isArray(value)) return '[]'
  return typeof value === 'object' && value !== null ? '{}' : String(value ?? null)
}

const isDigit = (character: string | undefined): boolean =>
  character !== undefined && character >= '0' && character <= '9'
const isLetter = (character: string): boolean => /\p{L}/u.test(character)

/** Go's order of keys: letters after other characters, numbers inside names by their value (`x2` before `x10`). */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let index = 0; index < length; index++) {
    const [left, right] = [a[index]!, b[index]!]
    if (left === right) continue
    if (isLetter(left) && isLetter(right)) return left < right ? -1 : 1
    if (isLetter(left) || isLetter(right)) return isLetter(right) ? -1 : 1
    const difference = Number(digitsFrom(a, index)) - Number(digitsFrom(b, index))
    if (difference !== 0) return difference
    return left < right ? -1 : 1
  }
  return a.length - b.length
}

/** The number at a place, with the digits before it that both keys share counted in. */
function digitsFrom(text: string, index: number): string {
  let start = index
  while (start > 0 && isDigit(text[start - 1])) start--
  let end = index
  while (isDigit(text[end])) end++
  return text.slice(start, end) || '0'
}
