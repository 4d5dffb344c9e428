/** Scanning and splicing JSON bytes against JSON.parse. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { findPath, readPath } from './json-scan.ts'
import { replaceResourceVersion, spliceResourceVersion } from './resource-version-bytes.ts'

const json = fc.jsonValue({ maxDepth: 4, stringUnit: 'grapheme' })
const names = ['a', 'metadata', 'labels', 'x y', 'uid']
const nested = fc.dictionary(fc.oneof(fc.constantFrom(...names), fc.string()), json)

function at(value: unknown, path: readonly string[]): unknown {
  let current = value
  for (const name of path) {
    if (typeof current !== 'object' || current === null || Array.isArray(current) || !Object.hasOwn(current, name))
      return
    current = (current as Record<string, unknown>)[name]
  }
  return current
}

test('finds what JSON.parse finds, with and without white space', () => {
  const path = fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: 3 })
  fc.assert(
    fc.property(
      fc.dictionary(fc.constantFrom(...names), fc.oneof(json, nested)),
      path,
      fc.constantFrom(0, 2),
      (value, names, indent) => {
        const text = JSON.stringify(value, null, indent)
        const bytes = Buffer.from(text)
        assert.deepEqual(readPath(bytes, names), at(JSON.parse(text), names))
        const span = findPath(bytes, names)
        if (span !== null) JSON.parse(bytes.toString('utf8', span.start, span.end))
      },
    ),
    { numRuns: 500 },
  )
})

const metadata = fc.dictionary(fc.constantFrom('name', 'uid', 'labels', 'annotations'), fc.oneof(fc.string(), nested))

test('puts the revision into any object, and changes nothing else', () => {
  const object = fc.record({ kind: json, metadata, spec: json }, { requiredKeys: ['metadata'] })
  fc.assert(
    fc.property(object, fc.integer({ min: 1 }), fc.constantFrom(0, 1), (value, revision, indent) => {
      const text = JSON.stringify(value, null, indent)
      const served = spliceResourceVersion(Buffer.from(text), revision)
      const expected = JSON.parse(text)
      expected.metadata.resourceVersion = String(revision)
      assert.deepEqual(JSON.parse(served.toString()), expected)
      expected.metadata.resourceVersion = '7'
      assert.deepEqual(JSON.parse(replaceResourceVersion(served, 7).toString()), expected)
    }),
    { numRuns: 500 },
  )
})

test('refuses bytes that are no stored object', () => {
  for (const text of ['{}', '{"metadata":null}', '[]', 'null']) {
    assert.throws(() => spliceResourceVersion(Buffer.from(text), 1), /stored object without metadata/)
  }
})
