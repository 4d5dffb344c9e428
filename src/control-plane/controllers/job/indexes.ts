/** Sets of completion indexes, and their text in a Job's status: `0,2-4,7`. */
import { parseIndexes } from '#api/batch/job/indexes.ts'

/** Indexes of the text; those that scaling down made too large are left out. */
export function readIndexes(text: string | undefined, completions: number): Set<number> {
  const indexes = new Set<number>()
  for (const { first, last } of parseIndexes(text ?? '', Number.MAX_SAFE_INTEGER))
    for (let index = first; index <= Math.min(last, completions - 1); index++) indexes.add(index)
  return indexes
}

export function formatIndexes(indexes: ReadonlySet<number>): string {
  const parts: string[] = []
  const ordered = [...indexes].toSorted((left, right) => left - right)
  for (let start = 0; start < ordered.length;) {
    let end = start
    while (ordered[end + 1] === ordered[end]! + 1) end++
    const [first, last] = [ordered[start]!, ordered[end]!]
    parts.push(first === last ? `${first}` : `${first}${last === first + 1 ? ',' : '-'}${last}`)
    start = end + 1
  }
  return parts.join(',')
}
