/** Writes floors.json anew: shares that have grown are kept, none is lowered. */
import { readFileSync, writeFileSync } from 'node:fs'
import { runCorpus } from './run.ts'
import { shareOf } from './share.ts'

const file = new URL('floors.json', import.meta.url)
const floors = JSON.parse(readFileSync(file, 'utf8')) as Record<string, number>
for (const { id, results } of runCorpus()) floors[id] = Math.max(floors[id] ?? 0, shareOf(results).percent)
const sorted = Object.fromEntries(Object.entries(floors).toSorted(([left], [right]) => (left < right ? -1 : 1)))
writeFileSync(file, `${JSON.stringify(sorted, null, 2)}\n`)
