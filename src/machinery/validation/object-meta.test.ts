/** Rules of metadata, labels, selectors and conditions. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FieldError } from '../field-error.ts'
import { validateConditions, validateDomainPrefixedPath, validateFullyQualifiedName } from './fields.ts'
import { validateLabelSelector } from './label-selector.ts'
import { validateFieldManager, validateObjectMeta, validateObjectMetaUpdate } from './object-meta.ts'

const texts = (errors: FieldError[]): string[] => errors.map(({ field, message }) => `${field}: ${message}`)
const namespaced = { namespaced: true } as const

test('a name is required, and must follow the rule of the kind', () => {
  assert.deepEqual(texts(validateObjectMeta({ namespace: 'a' }, namespaced)), [
    'metadata.name: Required value: name or generateName is required',
  ])
  assert.deepEqual(validateObjectMeta({ name: 'a.b', namespace: 'a' }, namespaced), [])
  assert.equal(validateObjectMeta({ name: 'a.b' }, { namespaced: false, nameRule: 'label' }).length, 1)
  assert.deepEqual(validateObjectMeta({ name: 'system:a' }, { namespaced: false, nameRule: 'path-segment' }), [])
  assert.deepEqual(texts(validateObjectMeta({ name: 'a/b' }, { namespaced: false, nameRule: 'path-segment' })), [
    `metadata.name: Invalid value: "a/b": may not contain '/'`,
  ])
})

test('the prefix of generated names may end in a dash', () => {
  assert.deepEqual(validateObjectMeta({ name: 'a-x', generateName: 'a-', namespace: 'a' }, namespaced), [])
  assert.equal(validateObjectMeta({ name: 'a', generateName: 'Ab-', namespace: 'a' }, namespaced).length, 1)
})

test('the namespace is there exactly where the kind has one', () => {
  assert.deepEqual(texts(validateObjectMeta({ name: 'a' }, namespaced)), ['metadata.namespace: Required value'])
  assert.deepEqual(texts(validateObjectMeta({ name: 'a', namespace: 'b' }, { namespaced: false })), [
    'metadata.namespace: Forbidden: not allowed on this type',
  ])
})

test('owners, finalizers and annotations are checked', () => {
  const meta = {
    name: 'a',
    annotations: { 'a b': '', big: 'x'.repeat(256 * 1024) },
    finalizers: ['orphan', 'foregroundDeletion', '/'],
    ownerReferences: [
      { apiVersion: 'apps/v1', kind: 'A', name: 'a', uid: '1', controller: true },
      { apiVersion: 'a/b/c', kind: '', name: 'b', uid: '', controller: true },
      { apiVersion: 'v1', kind: 'Event', name: 'e', uid: '3' },
    ],
  }
  const errors = validateObjectMeta(meta, { namespaced: false })
  assert.deepEqual(
    errors.map(({ field, type }) => `${field} ${type}`),
    [
      'metadata.annotations FieldValueInvalid',
      'metadata.annotations FieldValueTooLong',
      'metadata.ownerReferences[1].apiVersion FieldValueInvalid',
      'metadata.ownerReferences[1].kind FieldValueRequired',
      'metadata.ownerReferences[1].uid FieldValueRequired',
      'metadata.ownerReferences FieldValueInvalid',
      'metadata.ownerReferences[2] FieldValueInvalid',
      'metadata.finalizers FieldValueInvalid',
      'metadata.finalizers FieldValueInvalid',
      'metadata.finalizers FieldValueInvalid',
      'metadata.finalizers FieldValueInvalid',
    ],
  )
})

test('an update keeps what belongs to the server', () => {
  const old = {
    name: 'a',
    namespace: 'b',
    uid: '1',
    resourceVersion: '5',
    generation: 3,
    creationTimestamp: '2024-01-01T00:00:00Z',
  }
  assert.deepEqual(validateObjectMetaUpdate(old, old), [])
  assert.deepEqual(texts(validateObjectMetaUpdate({ ...old, uid: '2', generation: 2, resourceVersion: '' }, old)), [
    'metadata.resourceVersion: Invalid value: "": must be specified for an update',
    'metadata.generation: Invalid value: 2: must not be decremented',
    'metadata.uid: Invalid value: "2": field is immutable',
  ])
  const deleted = { ...old, deletionTimestamp: '2024-01-02T00:00:00Z', finalizers: ['a.b/c'] }
  assert.deepEqual(texts(validateObjectMetaUpdate({ ...deleted, finalizers: ['a.b/c', 'a.b/z', 'a.b/d'] }, deleted)), [
    'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"a.b/d", "a.b/z"}',
  ])
})

test('managers of fields have short printable names', () => {
  assert.deepEqual(validateFieldManager('kubectl edit', 'fieldManager'), [])
  assert.deepEqual(texts(validateFieldManager('a\n', 'fieldManager')), [
    String.raw`fieldManager: Invalid value: "a\n": invalid character U+000A (at position 1)`,
  ])
  assert.equal(validateFieldManager('a'.repeat(129), 'fieldManager').length, 1)
})

test('a label selector needs values where its operator compares', () => {
  const errors = validateLabelSelector(
    {
      matchLabels: { 'a b': 'c d' },
      matchExpressions: [
        { key: 'a', operator: 'In' },
        { key: 'b', operator: 'Exists', values: ['x'] },
        { key: 'c', operator: 'Near', values: ['-'] },
      ],
    },
    'spec.selector',
  )
  assert.deepEqual(
    texts(errors).map((text) => text.replace(/: (?:name part|a valid label).*/, '')),
    [
      'spec.selector.matchLabels: Invalid value: "a b"',
      'spec.selector.matchLabels: Invalid value: "c d"',
      "spec.selector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
      "spec.selector.matchExpressions[1].values: Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
      'spec.selector.matchExpressions[2].operator: Invalid value: "Near": not a valid selector operator',
      'spec.selector.matchExpressions[2].values[0]: Invalid value: "-"',
    ],
  )
  assert.equal(
    validateLabelSelector({ matchExpressions: [{ key: 'a', operator: 'In', values: ['-'] }] }, 's', {
      allowInvalidLabelValue: true,
    }).length,
    0,
  )
})

test('domain names with a path, names of drivers and conditions', () => {
  assert.deepEqual(validateDomainPrefixedPath('f', 'acme.io/foo/bar'), [])
  assert.equal(validateDomainPrefixedPath('f', 'acme.io/').length, 1)
  assert.equal(validateDomainPrefixedPath('f', 'acme.io/a b').length, 1)
  assert.deepEqual(validateFullyQualifiedName('f', 'a.example.com'), [])
  assert.equal(validateFullyQualifiedName('f', 'example.com').length, 1)
  const condition = { type: 'A', status: 'True', reason: 'R', message: '', lastTransitionTime: '2024-01-01T00:00:00Z' }
  assert.deepEqual(validateConditions([condition], 'c'), [])
  assert.deepEqual(
    validateConditions([condition, { ...condition, status: 'Yes', reason: '' }], 'c').map(({ field }) => field),
    ['c[1]', 'c[1].status', 'c[1].reason'],
  )
})
