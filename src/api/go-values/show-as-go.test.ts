/** Messages show values as kube-apiserver v1.37.2 does (texts recorded from it). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import '#api/schemas.ts'
import { formatFieldErrors, invalidFrom, invalidValue } from '#machinery/field-error.ts'
import { decodeValue } from '#machinery/schema/decode.ts'
import { schemaOf } from '#machinery/schema/registry.ts'
import { cloneDecoded, withFields } from '#machinery/schema/zero-values.ts'
import { asGo, asGoField, asSent, diffAsGo, showAsGo } from './show-as-go.ts'

const CORE = 'io.k8s.api.core.v1'

function messageOf(kind: string, sent: object, path: string, value: unknown): string {
  const schema = schemaOf(kind)
  const { object } = decodeValue(schema, sent)
  const show = showAsGo(schema, object)
  const { message } = invalidFrom({ group: '', kind: 'X' }, 'x', [invalidValue(path, value, '')], show)
  return message.slice(`X "x" is invalid: ${path}: Invalid value: `.length)
}

test('all fields come in the order and by the names of the internal type', () => {
  const spec = { maxUnavailable: '30%', minAvailable: 1, selector: { matchLabels: { app: 'x' } } }
  assert.equal(
    messageOf('io.k8s.api.policy.v1.PodDisruptionBudget', { spec }, 'spec', spec),
    '{"MinAvailable":1,"Selector":{"matchLabels":{"app":"x"}},"MaxUnavailable":"30%","UnhealthyPodEvictionPolicy":null}',
  )
})

test('metadata of a template stands inline, by its own names', () => {
  const template = { metadata: { labels: { a: 'b' } }, spec: { spec: { volumes: [] } } }
  const text = messageOf(
    'io.k8s.api.batch.v1.CronJob',
    { spec: { jobTemplate: template } },
    'spec.jobTemplate',
    template,
  )
  assert.match(text, /^\{"labels":\{"a":"b"\},"Spec":\{"Parallelism":null,/)
})

test('an empty list that was sent is no absent one, also in copies', () => {
  const schema = schemaOf(`${CORE}.PodSpec`)
  const { object } = decodeValue<Record<string, unknown>>(schema, {
    volumes: [],
    nodeSelector: {},
    containers: [],
    overhead: null,
  })
  for (const one of [object, cloneDecoded(object), withFields(object, { hostname: 'h' })]) {
    assert.equal(asGoField(`${CORE}.PodSpec`, one, 'volumes').text, '[]')
    assert.equal(asGoField(`${CORE}.PodSpec`, one, 'nodeSelector').text, '{}')
    assert.equal(asGoField(`${CORE}.PodSpec`, one, 'containers').text, '[]')
    assert.equal(asGoField(`${CORE}.PodSpec`, one, 'overhead').text, 'null')
  }
  assert.equal(
    asGoField(`${CORE}.PodSpec`, withFields(object, { volumes: undefined as never }), 'volumes').text,
    'null',
  )
  const absent = decodeValue<Record<string, unknown>>(schema, {}).object
  assert.equal(asGoField(`${CORE}.PodSpec`, absent, 'containers').text, 'null')
  assert.equal(asGoField(`${CORE}.PodSpec`, cloneDecoded(absent), 'containers').text, 'null')
})

test('a field that is not set shows what Go holds there', () => {
  const kind = `${CORE}.ReplicationController`
  const path = 'spec.template.metadata.labels'
  const sent = (metadata: object): object => ({ spec: { template: { metadata } } })
  assert.equal(messageOf(kind, sent({ labels: {} }), path, undefined), '{}')
  assert.equal(messageOf(kind, sent({ labels: null }), path, undefined), 'null')
  assert.equal(messageOf(kind, sent({}), path, undefined), 'null')
  const request = 'io.k8s.api.certificates.v1.CertificateSigningRequest'
  assert.equal(messageOf(request, { spec: { request: '' } }, 'spec.request', undefined), '""')
})

test('a value that belongs to an owner of the path is of the type of the owner', () => {
  const seccompProfile = { type: 'Bogus', localhostProfile: 'abc' }
  assert.equal(
    messageOf(
      `${CORE}.Pod`,
      { spec: { securityContext: { seccompProfile } } },
      'spec.securityContext.seccompProfile.localhostProfile',
      seccompProfile,
    ),
    '{"Type":"Bogus","LocalhostProfile":"abc"}',
  )
  assert.equal(messageOf(`${CORE}.Pod`, {}, 'status.podIPs', [{ ip: '10.0.0.1' }]), '[{"IP":"10.0.0.1"}]')
  assert.equal(messageOf(`${CORE}.Pod`, {}, 'no.such.path', { ip: '10.0.0.1' }), '{"ip":"10.0.0.1"}')
})

test('maps come by the bytes of their keys, and text is escaped as for HTML', () => {
  const labels = { 10: 'a', 9: '<b>', B: '&' }
  assert.equal(
    messageOf(`${CORE}.Service`, { spec: { selector: labels } }, 'spec.selector', labels),
    String.raw`{"10":"a","9":"\u003cb\u003e","B":"\u0026"}`,
  )
})

test('values of types without an internal form, and of checks on the type of the API, keep the names of the API', () => {
  const request = { exactly: { count: 2, deviceClassName: 'c' }, name: 'r' }
  assert.equal(
    asSent('io.k8s.api.resource.v1.DeviceRequest', request).text,
    '{"name":"r","exactly":{"deviceClassName":"c","count":2}}',
  )
  assert.equal(asGo('io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector', {}).text, '{}')
  assert.equal(asGo(`${CORE}.PodSpec`, undefined).text, 'null')
})

test('a change is shown line by line with some lines around it', () => {
  const before = { accessModes: ['ReadWriteMany'], volumeName: 'v' }
  const after = { accessModes: ['ReadOnlyMany'], volumeName: 'v' }
  assert.equal(
    diffAsGo(`${CORE}.PersistentVolumeClaimSpec`, before, after),
    [
      '@@ -1,6 +1,6 @@',
      ' {',
      '  "AccessModes": [',
      '-  "ReadWriteMany"',
      '+  "ReadOnlyMany"',
      '  ],',
      '  "Selector": null,',
      '  "Resources": {',
      '',
    ].join('\n'),
  )
})

test('errors about values that are written already stay as they are', () => {
  const error = invalidValue('spec', asGo(`${CORE}.PodIP`, { ip: '1.2.3.4' }), 'no')
  assert.equal(formatFieldErrors([error]), 'spec: Invalid value: {"IP":"1.2.3.4"}: no')
})
