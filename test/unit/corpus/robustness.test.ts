/** Rules of kinds hold for objects as they are stored, and stand whatever a client sends. */
import assert from 'node:assert'
import { test } from 'node:test'
import type { KindDefinition } from '#api/kind.ts'
import { createWith, updateWith } from '#api/testing.ts'
import { SeededRandom } from '#base/random.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import { decodeValue } from '#machinery/schema/decode.ts'
import { normalize } from '#machinery/schema/encode.ts'
import { schemaOf } from '#machinery/schema/registry.ts'
import { StatusError } from '#machinery/status-error.ts'
import { mutate } from './mutations.ts'
import { recordedObjects } from './objects.ts'
import { idOf } from './run.ts'
import { hasCorpus } from './scenarios.ts'

const skip = hasCorpus ? false : 'the recordings of a real API server are missing: ../shared/kubernetes/corpus'
const ROUNDS = 3

test('defaults leave stored objects as they are', { skip }, () => {
  for (const { kind, objects } of recordedObjects(['a', 'b', 'e']))
    for (const body of objects) {
      const schema = schemaOf(kind.schema)
      const { object } = decodeValue<KubernetesObject>(schema, structuredClone(body))
      kind.strategy.setDefaults?.(object, Date.parse('2026-01-02T03:04:05Z'))
      // As text: what Go leaves out of a map counts, the order of map keys does not.
      const read: unknown = JSON.parse(JSON.stringify(normalize(schema, object)))
      assert.deepEqual(read, body, idOf(kind))
    }
})

test('no rule trips over an odd object', { skip }, () => {
  const random = new SeededRandom(1)
  for (const { kind, objects } of recordedObjects(['a']))
    for (let round = 0; round < ROUNDS; round++) for (const body of objects) tryWrites(kind, mutate(body, random), body)
})

function tryWrites(kind: KindDefinition, body: Record<string, unknown>, old: Record<string, unknown>): void {
  const subresources = ['', 'status', ...(kind.resource === 'pods' ? ['resize', 'ephemeralcontainers'] : [])]
  try {
    const { object } = createWith(kind, body)
    kind.table.row(object, 0)
    for (const subresource of subresources) updateWith(kind, body, { old, subresource })
    // Objects of older versions, or written around the API, need not be valid.
    updateWith(kind, old, { old: body })
  } catch (error) {
    // Values of another type are refused before the rules see them.
    if (!(error instanceof StatusError)) throw new Error(`${idOf(kind)}: ${JSON.stringify(body)}`, { cause: error })
  }
}
