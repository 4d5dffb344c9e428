/** YAML as Go's writer has it, and as a reader gets it back. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { array, assert as check, boolean, dictionary, integer, oneof, property, string } from 'fast-check'
import { load } from 'js-yaml'
import { parseYaml } from '#machinery/yaml.ts'
import { compareKeys, writeYaml } from './yaml-writer.ts'

test('an object as kubectl shows it', () => {
  const object = {
    kind: 'ConfigMap',
    apiVersion: 'v1',
    metadata: { name: 'a', creationTimestamp: '2026-11-24T12:00:00Z', finalizers: [], labels: {} },
    data: {
      x: '1',
      yes: 'no',
      text: 'one\ntwo\n',
      open: 'one\n\ntwo',
      colon: 'a: b',
      quote: "it's",
      hash: 'a #b',
      dash: '- x',
      tab: 'a\tb',
      empty: '',
      url: 'https://a:80/#x',
    },
    items: [{ a: 1, b: [1, 2] }, 'plain', [true, null], 1.5],
  }
  assert.equal(
    writeYaml(object),
    `apiVersion: v1
data:
  colon: 'a: b'
  dash: '- x'
  empty: ""
  hash: 'a #b'
  open: |-
    one

    two
  quote: it's
  tab: "a\\tb"
  text: |
    one
    two
  url: https://a:80/#x
  x: "1"
  "yes": "no"
items:
- a: 1
  b:
  - 1
  - 2
- plain
- - true
  - null
- 1.5
kind: ConfigMap
metadata:
  creationTimestamp: "2026-11-24T12:00:00Z"
  finalizers: []
  labels: {}
  name: a
`,
  )
})

test('long lines break at a space', () => {
  const message = `containers with unready status: ${'web '.repeat(20)}end`
  const written = writeYaml({ message })
  assert.match(written, /^message: 'containers with unready status: (web )*web\n {2}(web )+end'\n$/)
  assert.deepEqual(load(written), { message })
})

test('keys sort by their numbers', () => {
  assert.deepEqual(['x10', 'x2', 'f:b', '.', 'k:{"a":1}', 'f:a', 'x02'].toSorted(compareKeys), [
    '.',
    'f:a',
    'f:b',
    'k:{"a":1}',
    'x02',
    'x2',
    'x10',
  ])
})

test('whatever is written reads back the same', () => {
  const texts = oneof(string(), string({ unit: 'grapheme' }), string({ unit: 'binary-ascii', maxLength: 200 }))
  const values = oneof(texts, integer(), boolean(), array(texts), dictionary(texts, texts), array(array(texts)))
  check(
    property(dictionary(texts, values), (object) => {
      const plain = JSON.parse(JSON.stringify(object)) as unknown
      assert.deepEqual(parseYaml(writeYaml(plain)), plain)
    }),
    { numRuns: 1000 },
  )
})
