/** Who owns which fields after updates, applies and writes to the scale. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ManagedFieldsEntry } from '../meta/v1.gen.ts'
import { schemaOf } from '../schema/registry.ts'
import { registerAllSchemas } from '../schema/testing.ts'
import { applyServerSide, type Applied } from './apply-server-side.ts'
import { FieldSet } from './field-set.ts'
import { decodeManagedFields, encodeManagedFields, isReset } from './managed-fields.ts'
import { recordUpdate, withoutTimeChanges } from './record-update.ts'
import { parentManagedFields, scaleManagedFields } from './scale-ownership.ts'

registerAllSchemas()

const SCHEMA = schemaOf('io.k8s.api.core.v1.ConfigMap')
const NOW_MS = Date.parse('2026-01-02T03:04:05.678Z')

type Object = Record<string, unknown> & {
  metadata: { name: string; uid?: string; managedFields?: ManagedFieldsEntry[] }
}

const configMap = (data: Record<string, string>, metadata: object = {}): Object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'a', ...metadata },
  data,
})

type ApplyOptions = { manager: string; force?: boolean; nowMs?: number }

function apply(
  live: Object | null,
  applied: unknown,
  { manager, force = false, nowMs = NOW_MS }: ApplyOptions,
): Applied {
  const kind = { schema: SCHEMA, group: '', version: 'v1', kind: 'ConfigMap' }
  return applyServerSide({ ...kind, live, applied, manager, force, subresource: '', nowMs })
}

function update(live: Object | null, updated: Object, manager: string, nowMs = NOW_MS): Object {
  const request = {
    schema: SCHEMA,
    apiVersion: 'v1',
    kind: 'ConfigMap',
    live,
    updated,
    manager,
    subresource: '',
    nowMs,
  }
  const managedFields = recordUpdate(request)
  const { managedFields: _, ...metadata } = updated.metadata
  return { ...updated, metadata: { ...metadata, uid: 'u', ...(managedFields && { managedFields }) } }
}

/** `x Apply data.k1 data.k2` */
function owners(object: unknown): string[] {
  const { managedFields = [] } = (object as Object).metadata
  return managedFields.map((entry) => {
    const paths = [...FieldSet.fromFieldsV1(entry.fieldsV1).paths()]
    return [entry.manager, entry.operation, ...paths.map((path) => path.map((part) => part.slice(2)).join('.'))].join(
      ' ',
    )
  })
}

test('field sets read and write FieldsV1', () => {
  const fields = {
    'f:a': { '.': {}, 'f:b': {} },
    'f:c': { 'k:{"name":"x","port":80}': { '.': {}, 'f:name': {} }, 'v:"s"': {}, 'i:2': {} },
  }
  const set = FieldSet.fromFieldsV1(fields)
  assert.deepEqual(set.toFieldsV1(), fields)
  assert.ok(set.has(['f:c', 'k:{"name":"x","port":80}', 'f:name']))
  assert.deepEqual(FieldSet.fromFieldsV1({ 'k:{"b":1,"a":2}': {} }).toFieldsV1(), { 'k:{"a":2,"b":1}': {} })
  assert.deepEqual(FieldSet.fromFieldsV1({ 'q:future': {}, 'f:a': {} }).toFieldsV1(), { 'f:a': {} })
  assert.throws(() => FieldSet.fromFieldsV1({ nonsense: {} }))
})

test('difference keeps what lies below, recursive difference does not', () => {
  const set = FieldSet.of(['f:a'], ['f:a', 'f:b'], ['f:c', 'f:d'])
  const other = FieldSet.of(['f:a'], ['f:c'])
  assert.deepEqual(set.difference(other).toFieldsV1(), { 'f:a': { 'f:b': {} }, 'f:c': { 'f:d': {} } })
  assert.ok(set.recursiveDifference(other).isEmpty)
  assert.deepEqual(set.intersection(FieldSet.of(['f:a'], ['f:c', 'f:x'])).toFieldsV1(), { 'f:a': {} })
})

test('a create owns what it sets, an update what it changes', () => {
  const created = update(null, configMap({ k1: '1', k2: '1' }), 'creator')
  assert.deepEqual(owners(created), ['creator Update data data.k1 data.k2'])
  assert.equal(created.metadata.managedFields![0]!.time, '2026-01-02T03:04:05Z')
  const updated = update(created, { ...created, data: { k1: '2', k3: '1' } }, 'other')
  assert.deepEqual(owners(updated), ['creator Update data', 'other Update data.k1 data.k3'])
})

test('an object without owners stays so', () => {
  const live = configMap({ k: '1' }, { uid: 'u' })
  assert.deepEqual(owners(update(live, configMap({ k: '2' }, { uid: 'u' }), 'x')), [])
  const owned = update(null, configMap({ k: '1' }), 'x')
  const reset = configMap({ k: '1' }, { uid: 'u', managedFields: [{}] })
  assert.deepEqual(owners(update(owned, reset, 'x')), [])
})

test('the oldest of more than ten updaters are joined', () => {
  let object = update(null, configMap({ k0: '0' }), 'm0')
  for (let n = 1; n <= 12; n++) {
    const data = { ...(object.data as Record<string, string>), [`k${n}`]: '1' }
    object = update(object, { ...object, data }, `m${n}`, NOW_MS + n * 1000)
  }
  const entries = owners(object)
  assert.equal(entries.length, 10)
  assert.equal(entries[0], 'ancient-changes Update data data.k0 data.k1 data.k2 data.k3')
})

test('apply: conflicts, force, shared fields, and removal of what is no longer applied', () => {
  const first = apply(null, configMap({ k1: '1', k2: '1' }), { manager: 'x' }).object as Object
  assert.deepEqual(owners(first), ['x Apply data.k1 data.k2'])
  assert.throws(() => apply(first, configMap({ k1: '2', k2: '2' }), { manager: 'y' }), {
    code: 409,
    reason: 'Conflict',
    message: 'Apply failed with 2 conflicts: conflicts with "x":\n- .data.k1\n- .data.k2',
    details: {
      causes: [
        { reason: 'FieldManagerConflict', message: 'conflict with "x"', field: '.data.k1' },
        { reason: 'FieldManagerConflict', message: 'conflict with "x"', field: '.data.k2' },
      ],
    },
  })
  const forced = apply(first, configMap({ k1: '2' }), { manager: 'y', force: true }).object as Object
  assert.deepEqual(owners(forced), ['x Apply data.k2', 'y Apply data.k1'])
  const shared = apply(forced, configMap({ k1: '2', k2: '1' }), { manager: 'z' })
  assert.ok(!shared.changed)
  const withoutK2 = apply(shared.object as Object, configMap({}), { manager: 'x' }).object as Object
  assert.deepEqual(withoutK2.data, { k1: '2', k2: '1' })
  const withoutBoth = apply(withoutK2, configMap({ k1: '2' }), { manager: 'z' }).object as Object
  assert.deepEqual(withoutBoth.data, { k1: '2' })
})

test('apply: the first one takes over from unknown owners only what it sets', () => {
  const live = configMap({ k1: '1', k2: '1' }, { uid: 'u' })
  assert.throws(() => apply(live, configMap({ k1: '2' }), { manager: 'x' }), {
    message: 'Apply failed with 1 conflict: conflict with "before-first-apply" using v1: .data.k1',
  })
  const { object } = apply(live, configMap({ k1: '2' }), { manager: 'x', force: true })
  assert.deepEqual(owners(object), ['x Apply data.k1', 'before-first-apply Update data data.k2'])
})

test('apply: kubectl may change what its client-side apply has set', () => {
  const lastApplied = JSON.stringify(configMap({ k1: '1' }))
  const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': lastApplied }
  const live = update(null, configMap({ k1: '1' }, { annotations }), 'kubectl-client-side-apply')
  const { object } = apply(live, configMap({ k1: '2' }), { manager: 'kubectl' })
  const { data, metadata } = object as unknown as { data: object; metadata: { annotations: Record<string, string> } }
  assert.deepEqual(data, { k1: '2' })
  const written = metadata.annotations['kubectl.kubernetes.io/last-applied-configuration']!
  assert.equal(written, '{"apiVersion":"v1","data":{"k1":"2"},"kind":"ConfigMap","metadata":{"name":"a"}}\n')
  assert.throws(() => apply(live, configMap({ k1: '2' }), { manager: 'someone' }), { code: 409 })
})

test('apply: wrong configurations', () => {
  const fails = (applied: unknown, code: number, message: string): void =>
    assert.throws(() => apply(null, applied, { manager: 'x' }), { code, message })
  fails({ apiVersion: 'v1', kind: 'Secret' }, 400, 'invalid object type: /v1, Kind=Secret')
  fails(configMap({}, { managedFields: [] }), 400, 'metadata.managedFields must be nil')
  fails(
    { ...configMap({}), zz: 1 },
    500,
    'failed to create typed patch object (/a; /v1, Kind=ConfigMap): .zz: field not declared in schema',
  )
})

test('managedFields that cannot be read', () => {
  const valid = {
    manager: 'x',
    operation: 'Apply',
    apiVersion: 'v1',
    fieldsType: 'FieldsV1',
    fieldsV1: { 'f:data': {} },
  }
  const fails = (change: object, message: string): void =>
    assert.throws(() => decodeManagedFields([{ ...valid, ...change }]), { message })
  fails({ operation: 'Steal' }, 'operation must be `Apply` or `Update`')
  fails({ apiVersion: '' }, 'apiVersion must not be empty')
  fails({ fieldsType: '' }, 'missing fieldsType in managed fields entry 0')
  fails({ fieldsType: 'FieldsV2' }, 'invalid fieldsType "FieldsV2" in managed fields entry 0')
  assert.deepEqual(encodeManagedFields(decodeManagedFields([valid])), [valid])
  assert.ok(isReset([]) && isReset([{}]) && !isReset(undefined) && !isReset([valid]))
})

test('entries that differ in time alone are the old ones', () => {
  const [entry] = update(null, configMap({ k: '1' }), 'x').metadata.managedFields!
  const later = { ...entry!, time: '2027-01-01T00:00:00Z' }
  assert.deepEqual(withoutTimeChanges([entry!], [later]), [entry])
  assert.deepEqual(withoutTimeChanges([entry!], [{ ...later, manager: 'y' }]), [{ ...later, manager: 'y' }])
})

test('replicas have the same owners in an object and in its scale', () => {
  const base = { fieldsType: 'FieldsV1', time: '2026-01-01T00:00:00Z' }
  const parent = [
    { ...base, manager: 'm', operation: 'Apply', apiVersion: 'apps/v1', fieldsV1: { 'f:spec': { 'f:replicas': {} } } },
    { ...base, manager: 'n', operation: 'Update', apiVersion: 'apps/v1', fieldsV1: { 'f:spec': { 'f:paused': {} } } },
  ]
  const paths = { 'apps/v1': 'spec.replicas' }
  const scale = scaleManagedFields(parent, paths)!
  assert.deepEqual(scale, [{ ...parent[0]!, apiVersion: 'autoscaling/v1' }])
  assert.deepEqual(parentManagedFields(parent, scale, { paths, apiVersion: 'apps/v1' }), parent)
  const taken = [{ ...scale[0]!, manager: 'hpa', operation: 'Update', subresource: 'scale' }]
  const after = parentManagedFields(parent, taken, { paths, apiVersion: 'apps/v1' })!
  assert.deepEqual(
    after.map(({ manager, time }) => [manager, time]),
    [
      ['hpa', undefined],
      ['n', base.time],
    ],
  )
})
