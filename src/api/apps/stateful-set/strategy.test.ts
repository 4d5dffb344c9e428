/** Writes of StatefulSets: defaults and what is fixed. */
import assert from 'node:assert'
import { test } from 'node:test'
import type { StatefulSet } from '#api/apps/v1.gen.ts'
import '#api/schemas.ts'
import { createWith, updateWith } from '#api/testing.ts'
import { statefulSetKind } from './kind.ts'

const template = { metadata: { labels: { app: 'x' } }, spec: { containers: [{ name: 'c', image: 'busybox' }] } }
const claim = {
  metadata: { name: 'data' },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
}

function body(spec: object = {}): object {
  const fixed = { selector: { matchLabels: { app: 'x' } }, serviceName: 's', template }
  return { metadata: { name: 'd', namespace: 'n' }, spec: { ...fixed, ...spec } }
}

test('defaults of a minimal StatefulSet', () => {
  const { object, errors } = createWith<StatefulSet>(statefulSetKind, body({ volumeClaimTemplates: [claim] }))
  assert.deepEqual(errors, [])
  assert.equal(object.spec.podManagementPolicy, 'OrderedReady')
  assert.deepEqual(object.spec.updateStrategy, {
    type: 'RollingUpdate',
    rollingUpdate: { maxUnavailable: 1, partition: 0 },
  })
  assert.deepEqual(object.spec.persistentVolumeClaimRetentionPolicy, { whenDeleted: 'Retain', whenScaled: 'Retain' })
  assert.equal(object.spec.volumeClaimTemplates?.[0]?.spec?.volumeMode, 'Filesystem')
})

test('claims, service, policy and selector are fixed; replicas are not', () => {
  const old = createWith<StatefulSet>(statefulSetKind, body()).object
  const fieldsOf = (spec: object): string =>
    updateWith(statefulSetKind, body(spec), { old })
      .errors.map((line) => line.split(':', 1)[0])
      .join()
  assert.equal(fieldsOf({ replicas: 3, revisionHistoryLimit: 2 }), '')
  assert.equal(fieldsOf({ serviceName: 't' }), 'spec.serviceName')
  assert.equal(fieldsOf({ podManagementPolicy: 'Parallel' }), 'spec.podManagementPolicy')
  assert.equal(fieldsOf({ volumeClaimTemplates: [claim] }), 'spec.volumeClaimTemplates')
})

test('a template that was never valid does not block other changes', () => {
  const broken = { ...template, spec: { containers: [{ name: 'c', image: '' }] } }
  assert.notDeepEqual(createWith(statefulSetKind, body({ template: broken })).errors, [])
  const old = createWith<StatefulSet>(statefulSetKind, body({ template: broken })).object
  assert.deepEqual(updateWith(statefulSetKind, body({ template: broken, replicas: 2 }), { old }).errors, [])
})
