/** Counts of pods that are kept up to date agree with counting anew, whatever comes and goes. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SeededRandom } from '#base/random.ts'
import { buildPod } from '../testing/builders.ts'
import { toPodInfo, type PodInfo } from './node-info.ts'
import { PodCounts, type PodQuery } from './pod-counts.ts'

const queryOf = (app: string, key: string | null, namespaces: readonly string[] | null = ['default']): PodQuery => ({
  key,
  namespaces,
  matches: ({ metadata }) => metadata.labels?.['app'] === app,
})

function build(index: number, app: string, namespace: string): PodInfo {
  const pod = buildPod(`p${index}`)
  return toPodInfo({ ...pod, metadata: { ...pod.metadata, namespace, labels: { app } } })
}

test('kept counts are those of a fresh count', () => {
  const [counts, random, placed] = [new PodCounts(), new SeededRandom(7), new Map<number, [PodInfo, string]>()]
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random.next() * items.length)]!
  for (let step = 0; step < 2000; step++) {
    const index = Math.floor(random.next() * 50)
    const there = placed.get(index)
    if (there === undefined) {
      const place: [PodInfo, string] = [build(index, pick(['a', 'b']), pick(['default', 'other'])), pick(['n1', 'n2'])]
      placed.set(index, place)
      counts.added(...place)
    } else {
      placed.delete(index)
      counts.removed(...there)
    }
    if (step % 100 !== 0) continue
    for (const [app, namespaces] of [
      ['a', ['default']],
      ['b', null],
      ['b', ['default', 'other']],
    ] as const) {
      const kept = counts.count(queryOf(app, `${app} ${namespaces?.join()}`, namespaces))
      assert.deepEqual(
        new Map([...kept].toSorted()),
        new Map([...counts.count(queryOf(app, null, namespaces))].toSorted()),
      )
      const expected = [...placed.values()].filter(
        ([{ pod }]) =>
          pod.metadata.labels?.['app'] === app &&
          (namespaces === null || (namespaces as readonly string[]).includes(pod.metadata.namespace!)),
      )
      assert.equal(
        [...kept.values()].reduce((sum, count) => sum + count, 0),
        expected.length,
      )
    }
  }
})

test('a query without a key is answered anew each time', () => {
  const counts = new PodCounts()
  let app = 'a'
  const changing: PodQuery = {
    key: null,
    namespaces: null,
    matches: ({ metadata }) => metadata.labels?.['app'] === app,
  }
  counts.added(build(1, 'a', 'default'), 'n')
  assert.deepEqual([...counts.count(changing)], [['n', 1]])
  app = 'b'
  assert.deepEqual([...counts.count(changing)], [])
})
