/** Refusals of patches show what the patch has made: by name where it went through, as it was elsewhere. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { shownPatch } from './patch-error.ts'

const patched = { kind: 'K', apiVersion: 'v1', spec: { z: 1, a: { y: '<', b: 2 } } }

test('a merge patch sorts the objects that it names', () => {
  assert.equal(
    shownPatch({ type: 'merge', body: { spec: { z: 1 } } }, patched),
    String.raw`{"apiVersion":"v1","kind":"K","spec":{"a":{"y":"\u003c","b":2},"z":1}}`,
  )
})

test('a JSON patch sorts the objects above its paths', () => {
  const body = [{ op: 'add', path: '/spec/a/b', value: 2 }]
  assert.equal(
    shownPatch({ type: 'json', body }, patched),
    String.raw`{"apiVersion":"v1","kind":"K","spec":{"a":{"b":2,"y":"\u003c"},"z":1}}`,
  )
  const list = { items: [{ b: 1, a: 2 }] }
  assert.equal(
    shownPatch({ type: 'json', body: [{ op: 'remove', path: '/items/0/c' }] }, list),
    '{"items":[{"a":2,"b":1}]}',
  )
})

test('a strategic merge patch is shown itself, as Go prints maps', () => {
  assert.equal(
    shownPatch({ type: 'strategic', body: { spec: { b: [1, 'x'], a: null } } }, patched),
    'map[spec:map[a:<nil> b:[1 x]]]',
  )
})
