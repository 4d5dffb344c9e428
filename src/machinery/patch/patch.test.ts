/** Patches: what they make of a document, and which errors they give. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { schemaOf } from '../schema/registry.ts'
import { registerAllSchemas } from '../schema/testing.ts'
import { applyJsonPatch, JSON_PATCH_OPERATIONS_MAX, jsonPatchProblems } from './json-patch.ts'
import { applyMergePatch } from './merge-patch.ts'
import { applyStrategicMergePatch } from './strategic-merge-patch.ts'

registerAllSchemas()

const DOCUMENT = { a: { b: 1, 'm/n': 2, 'x~y': 3 }, list: [1, 2, 3], none: null }

/** Operations -> result, or null for 422. */
const JSON_PATCHES: readonly (readonly [string, object[], object | null])[] = [
  ['add', [{ op: 'add', path: '/a/c', value: { d: 1 } }], { ...DOCUMENT, a: { ...DOCUMENT.a, c: { d: 1 } } }],
  ['add at the end', [{ op: 'add', path: '/list/-', value: 4 }], { ...DOCUMENT, list: [1, 2, 3, 4] }],
  ['add before', [{ op: 'add', path: '/list/0', value: 0 }], { ...DOCUMENT, list: [0, 1, 2, 3] }],
  ['add behind the end', [{ op: 'add', path: '/list/4', value: 4 }], null],
  ['add from the end', [{ op: 'add', path: '/list/-1', value: 4 }], { ...DOCUMENT, list: [1, 2, 3, 4] }],
  ['add below nothing', [{ op: 'add', path: '/z/c', value: 1 }], null],
  ['add below null', [{ op: 'add', path: '/none/c', value: 1 }], null],
  ['remove', [{ op: 'remove', path: '/a/m~1n' }], { ...DOCUMENT, a: { b: 1, 'x~y': 3 } }],
  ['remove the last', [{ op: 'remove', path: '/list/-1' }], { ...DOCUMENT, list: [1, 2] }],
  ['remove nothing', [{ op: 'remove', path: '/a/z' }], null],
  ['replace absent', [{ op: 'replace', path: '/z', value: 1 }], { ...DOCUMENT, z: 1 }],
  ['replace behind the end', [{ op: 'replace', path: '/list/3', value: 1 }], null],
  ['replace all', [{ op: 'replace', path: '', value: { q: 1 } }], { q: 1 }],
  ['move', [{ op: 'move', from: '/a/x~0y', path: '/b' }], { ...DOCUMENT, a: { b: 1, 'm/n': 2 }, b: 3 }],
  ['copy', [{ op: 'copy', from: '/a/b', path: '/list/1' }], { ...DOCUMENT, list: [1, 1, 2, 3] }],
  ['test', [{ op: 'test', path: '/list', value: [1, 2, 3] }], DOCUMENT],
  ['test null', [{ op: 'test', path: '/absent', value: null }], DOCUMENT],
  ['test fails', [{ op: 'test', path: '/a/b', value: 2 }], null],
  ['no leading slash', [{ op: 'add', path: 'ignored/z', value: 1 }], { ...DOCUMENT, z: 1 }],
  ['unknown operation', [{ op: 'merge', path: '/a' }], null],
]

for (const [name, operations, result] of JSON_PATCHES)
  test(`JSON patch: ${name}`, () => {
    const before = structuredClone(DOCUMENT)
    if (result === null) assert.throws(() => applyJsonPatch(DOCUMENT, operations), { code: 422, reason: 'Invalid' })
    else assert.deepEqual(applyJsonPatch(DOCUMENT, operations), result)
    assert.deepEqual(DOCUMENT, before)
  })

test('JSON patch: limits', () => {
  const many = Array.from({ length: JSON_PATCH_OPERATIONS_MAX + 1 }, () => ({ op: 'test', path: '/a/b', value: 1 }))
  assert.throws(() => applyJsonPatch(DOCUMENT, many), {
    code: 413,
    message: 'Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001',
  })
  const big = { text: 'x'.repeat(2 ** 20) }
  const copies = [1, 2, 3].map((n) => ({ op: 'copy', from: '/text', path: `/copy${n}` }))
  assert.throws(() => applyJsonPatch(big, copies), { code: 422 })
  assert.doesNotThrow(() => applyJsonPatch(big, copies.slice(1)))
})

test('JSON patch: what is no patch', () => {
  const message = 'error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp'
  assert.throws(() => applyJsonPatch(DOCUMENT, {}), { code: 400, message })
  assert.deepEqual(jsonPatchProblems([{ op: 'add', path: '/x', value: 1, extra: 2 }]), [
    'json patch unknown field "[0].extra"',
  ])
})

test('merge patch: null removes, objects merge, lists are replaced', () => {
  const patch = { a: { b: null, c: { d: null, e: [null, { f: null }] } }, list: [9], none: { x: null } }
  const expected = { a: { 'm/n': 2, 'x~y': 3, c: { e: [null, {}] } }, list: [9], none: {} }
  assert.deepEqual(applyMergePatch(DOCUMENT, patch), expected)
  const proto = applyMergePatch({}, JSON.parse('{"__proto__": {"a": 1}}'))
  assert.deepEqual(Object.keys(proto), ['__proto__'])
  assert.throws(() => applyMergePatch({}, null), { code: 400, message: 'Invalid JSON Patch' })
})

const POD = schemaOf('io.k8s.api.core.v1.Pod')

function patchSpec(spec: object, patch: object): unknown {
  return applyStrategicMergePatch({ spec }, { spec: patch }, POD).spec
}

test('strategic merge patch: lists merge by key, new items in front as the patch orders them', () => {
  const containers = [
    { name: 'a', image: '1' },
    { name: 'b', image: '2' },
  ]
  assert.deepEqual(patchSpec({ containers }, { containers: [{ name: 'c' }, { name: 'b', image: '3' }] }), {
    containers: [{ name: 'c' }, { name: 'a', image: '1' }, { name: 'b', image: '3' }],
  })
  const order = { '$setElementOrder/containers': [{ name: 'b' }, { name: 'a' }] }
  assert.deepEqual(patchSpec({ containers }, order), { containers: containers.toReversed() })
  const removal = { containers: [{ name: 'a', $patch: 'delete' }] }
  assert.deepEqual(patchSpec({ containers }, removal), { containers: [containers[1]] })
  const replacement = { containers: [{ $patch: 'replace' }, { name: 'z' }] }
  assert.deepEqual(patchSpec({ containers }, replacement), { containers: [{ name: 'z' }] })
})

test('strategic merge patch: lists of scalars', () => {
  const metadata = { finalizers: ['a', 'b', 'c'] }
  const patched = (patch: object): unknown => applyStrategicMergePatch({ metadata }, { metadata: patch }, POD).metadata
  assert.deepEqual(patched({ finalizers: ['d', 'a'] }), { finalizers: ['d', 'a', 'b', 'c'] })
  assert.deepEqual(patched({ '$deleteFromPrimitiveList/finalizers': ['b'] }), { finalizers: ['a', 'c'] })
  assert.deepEqual(patched({ '$setElementOrder/finalizers': ['c', 'a'] }), { finalizers: ['b', 'c', 'a'] })
})

test('strategic merge patch: retained keys and replaced maps', () => {
  const volumes = [{ name: 'v', emptyDir: {} }]
  const patch = { volumes: [{ name: 'v', $retainKeys: ['name', 'configMap'], configMap: { name: 'c' } }] }
  assert.deepEqual(patchSpec({ volumes }, patch), { volumes: [{ name: 'v', configMap: { name: 'c' } }] })
  const selector = { nodeSelector: { a: 'b' } }
  assert.deepEqual(patchSpec(selector, { nodeSelector: { $patch: 'replace', c: 'd' } }), { nodeSelector: { c: 'd' } })
})

test('strategic merge patch: errors', () => {
  const containers = [{ name: 'a' }]
  const fails = (patch: object, message: string, code = 500): void =>
    assert.throws(() => patchSpec({ containers }, patch), { code, message })
  fails({ containers: [{ image: 'x' }] }, 'map: map[image:x] does not contain declared merge key: name')
  fails({ containers: ['x'] }, 'list element types are not identical: [[map[name:a]] [x]]')
  fails({ containers: [{ name: 'a', $patch: 'merge' }] }, 'merging lists cannot yet be specified in the patch')
  fails({ $patch: 'bogus' }, 'unknown patch type: bogus in map: map[$patch:bogus]')
  fails({ $retainKeys: 'x' }, 'invalid patch format of retainKeys', 400)
  fails({ '$setElementOrder/nope': [] }, 'unable to find api field in struct PodSpec for the json field "nope"')
})
