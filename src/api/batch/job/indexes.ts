/** Lists of indexes of an indexed Job, as text: `0,2-4,7`. */

export type IndexRange = { readonly first: number; readonly last: number }

export class IndexesError extends Error {}

/** The ranges in order. Throws IndexesError with upstream's text. */
export function parseIndexes(text: string, completions: number): IndexRange[] {
  if (text === '') return []
  const ranges: IndexRange[] = []
  for (const part of text.split(',')) {
    const range = parseRange(part, completions)
    const previous = ranges.at(-1)
    if (previous !== undefined && previous.last >= range.first)
      throw new IndexesError(`non-increasing order, previous: ${previous.last}, current: ${range.first}`)
    ranges.push(range)
  }
  return ranges
}

export function countIndexes(ranges: readonly IndexRange[]): number {
  return ranges.reduce((total, { first, last }) => total + last - first + 1, 0)
}

function parseRange(text: string, completions: number): IndexRange {
  const limits = text.split('-')
  if (limits.length > 2) {
    const rule = "violates the requirement that an index interval can have at most two parts separated by '-'"
    throw new IndexesError(`the fragment ${JSON.stringify(text)} ${rule}`)
  }
  const first = parseIndex(limits[0]!, completions)
  if (limits.length === 1) return { first, last: first }
  const last = parseIndex(limits[1]!, completions)
  if (first >= last) throw new IndexesError(`non-increasing order, previous: ${first}, current: ${last}`)
  return { first, last }
}

function parseIndex(text: string, completions: number): number {
  if (!/^[+-]?\d+$/.test(text))
    throw new IndexesError(`cannot convert string to integer for index: ${JSON.stringify(text)}`)
  const index = Number(text)
  if (index >= completions) throw new IndexesError(`too large index: ${JSON.stringify(text)}`)
  return index
}

/** The first index that is in both lists; null when there is none. */
export function findOverlap(left: readonly IndexRange[], right: readonly IndexRange[]): number | null {
  for (const one of left)
    for (const other of right)
      if (one.first <= other.last && other.first <= one.last) return Math.max(one.first, other.first)
  return null
}
