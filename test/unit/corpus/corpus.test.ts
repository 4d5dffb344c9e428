/** Each kind's rules agree with the recordings at least as far as committed; floors.json may only rise. */
import assert from 'node:assert'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { runCorpus } from './run.ts'
import { hasCorpus } from './scenarios.ts'
import { shareOf } from './share.ts'

/** Percent of recorded writes that come out as recorded, by kind; `node test/unit/corpus/raise-floors.ts` raises them. */
const floors = JSON.parse(readFileSync(new URL('floors.json', import.meta.url), 'utf8')) as Record<string, number>

const skip = hasCorpus ? false : 'the recordings of a real API server are missing: ../shared/kubernetes/corpus'

test('the rules of each kind agree with a real API server as far as committed', { skip }, () => {
  const found = Object.fromEntries(runCorpus().map(({ id, results }) => [id, shareOf(results).percent]))
  for (const [id, floor] of Object.entries(floors))
    assert.ok((found[id] ?? 0) >= floor, `${id}: ${found[id]}% of the recorded writes agree, ${floor}% did before`)
})
