/** Encoding by schema: order of fields, zero values, stability. */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { decodeValue } from './decode.ts'
import { encodeObject, normalize } from './encode.ts'
import { schemaOf } from './registry.ts'
import { registerAllSchemas } from './testing.ts'

before(registerAllSchemas)

test('fields stand in the order of the Go type, maps are sorted, zero structs are written', () => {
  const pod = {
    status: {},
    spec: { nodeName: 'n', containers: [{ image: 'i', name: 'c' }], nodeSelector: { b: '1', a: '2' } },
    metadata: { labels: { z: '', y: '' }, name: 'p', generation: 0 },
    apiVersion: 'v1',
    kind: 'Pod',
  }
  assert.equal(
    encodeObject(schemaOf('io.k8s.api.core.v1.Pod'), pod).toString(),
    '{"kind":"Pod","apiVersion":"v1","metadata":{"name":"p","labels":{"y":"","z":""}},' +
      '"spec":{"containers":[{"name":"c","image":"i","resources":{}}],"nodeSelector":{"a":"2","b":"1"},"nodeName":"n"},"status":{}}',
  )
})

test('absent structs, lists and times are written as Go writes their zero values', () => {
  assert.equal(
    encodeObject(schemaOf('io.k8s.api.core.v1.Service'), {}).toString(),
    '{"metadata":{},"spec":{},"status":{"loadBalancer":{}}}',
  )
  assert.equal(
    encodeObject(schemaOf('io.k8s.api.rbac.v1.Role'), { rules: [] }).toString(),
    '{"metadata":{},"rules":null}',
  )
  assert.equal(
    encodeObject(schemaOf('io.k8s.apimachinery.pkg.apis.meta.v1.Condition'), { type: 'A' }).toString(),
    '{"type":"A","status":"","lastTransitionTime":null,"reason":"","message":""}',
  )
  assert.equal(
    encodeObject(schemaOf('io.k8s.api.apps.v1.Deployment'), { spec: { replicas: 0 } }).toString(),
    '{"metadata":{},"spec":{"replicas":0,"selector":null,"template":{"metadata":{},"spec":{"containers":null}},"strategy":{}},"status":{}}',
  )
})

test('normalizing leaves the given object alone and is stable', () => {
  const schema = schemaOf('io.k8s.api.core.v1.Pod')
  const pod = Object.freeze({ spec: Object.freeze({ hostNetwork: false, containers: Object.freeze([]) }) })
  const normal = normalize<unknown>(schema, pod)
  assert.deepEqual(normal, { metadata: {}, spec: { containers: null }, status: {} })
  assert.deepEqual(normalize(schema, normal), normal)
})

test('a JSON schema inside a JSON schema is in canonical form as well', () => {
  const schema = schemaOf('io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps')
  const { object } = decodeValue(schema, {
    type: 'object',
    additionalProperties: { type: 'string', bogus: 1, enum: [{ bogus: 2 }] },
    items: [{ bogus: 3, type: 'string' }],
    properties: { a: { additionalProperties: false } },
  })
  assert.equal(
    encodeObject(schema, object).toString(),
    '{"type":"object","items":[{"type":"string"}],"properties":{"a":{"additionalProperties":false}},' +
      '"additionalProperties":{"type":"string","enum":[{"bogus":2}]}}',
  )
})
