/** Definitions of kinds: facts and rules must fit. */
import assert from 'node:assert'
import { test } from 'node:test'
import './schemas.ts'
import { defineKind } from './define-kind.ts'
import { createWith } from './testing.ts'

const kind = defineKind('v1/configmaps', {})
const withFinalizer = (finalizer: string): object => ({ metadata: { name: 'x', finalizers: [finalizer] } })

test('facts are taken over, and cells of kinds without a table of their own', () => {
  assert.deepEqual([kind.group, kind.kind, kind.storagePrefix, kind.namespaced], ['', 'ConfigMap', 'configmaps', true])
  const createdAt = '2026-01-02T03:04:05Z'
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x', creationTimestamp: createdAt } }
  assert.deepEqual(kind.table.row(object as never, 0), ['x', createdAt])
})

test('selectable fields that were not recorded are refused', () => {
  const selectableFields = { 'spec.none': () => '' }
  assert.throws(() => defineKind('v1/configmaps', { selectableFields }), /Field selectors of v1\/configmaps/)
})

test('finalizers name their domain', () => {
  assert.deepEqual(createWith(kind, withFinalizer('example.com/x')).errors, [])
  assert.deepEqual(createWith(kind, withFinalizer('orphan')).errors, [])
  assert.deepEqual(createWith(kind, withFinalizer('plain')).errors, [
    'metadata.finalizers[0]: Invalid value: "plain": name is neither a standard finalizer name nor is it fully qualified',
  ])
  assert.deepEqual(
    createWith(defineKind('v1/configmaps', { allowPlainFinalizers: true }), withFinalizer('plain')).errors,
    [],
  )
})
