/** Each warning is about a kind that is served, and in no other kind's way. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KINDS } from '#api/kinds.ts'
import { warnOfKindsNotActedOn } from './not-acted-on.ts'

test('kinds that nothing acts on warn their writers', () => {
  const changed = warnOfKindsNotActedOn(KINDS).filter((kind, index) => kind !== KINDS[index])
  assert.deepEqual([...new Set(changed.map(({ resource }) => resource))].toSorted(), [
    'horizontalpodautoscalers',
    'networkpolicies',
    'podcertificaterequests',
    'storageversionmigrations',
  ])
  for (const { inert } of changed) assert.match(inert!.warning({} as never) ?? '', /^this cluster stores .* yet$/)
  assert.ok(
    KINDS.filter((kind) => changed.some(({ resource }) => resource === kind.resource)).every((kind) => !kind.inert),
  )
})
