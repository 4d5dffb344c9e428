/** Decoding by schema: type errors, unknown and duplicate fields, canonical values. */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { decodeJson, decodeValue } from './decode.ts'
import { schemaOf } from './registry.ts'
import { registerAllSchemas } from './testing.ts'

before(registerAllSchemas)

const POD = 'io.k8s.api.core.v1.Pod'
const CONFIG_MAP = 'io.k8s.api.core.v1.ConfigMap'
const strict = { fieldValidation: 'Strict' } as const

/** Kind, body, Go's complaint. */
const TYPE_ERRORS: readonly (readonly [string, string, string])[] = [
  [
    POD,
    '{"metadata":{"name":5}}',
    'json: cannot unmarshal number into Go struct field ObjectMeta.metadata.name of type string',
  ],
  [POD, '{"metadata":"x"}', 'json: cannot unmarshal string into Go struct field Pod.metadata of type v1.ObjectMeta'],
  [POD, '[]', 'json: cannot unmarshal array into Go value of type v1.Pod'],
  [
    POD,
    '{"spec":{"containers":{}}}',
    'json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container',
  ],
  [
    POD,
    '{"spec":{"containers":[{"ports":[{"containerPort":1099511627776}]}]}}',
    'json: cannot unmarshal number 1099511627776 into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32',
  ],
  [
    POD,
    '{"spec":{"containers":[{"ports":[{"containerPort":80.0}]}]}}',
    'json: cannot unmarshal number 80.0 into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32',
  ],
  [
    POD,
    '{"spec":{"activeDeadlineSeconds":99999999999999999999}}',
    'json: cannot unmarshal number 99999999999999999999 into Go struct field PodSpec.spec.activeDeadlineSeconds of type int64',
  ],
  [
    POD,
    '{"spec":{"restartPolicy":1}}',
    'json: cannot unmarshal number into Go struct field PodSpec.spec.restartPolicy of type v1.RestartPolicy',
  ],
  [
    POD,
    '{"spec":{"containers":[{"livenessProbe":{"exec":"x"}}]}}',
    'json: cannot unmarshal string into Go struct field Probe.spec.containers.livenessProbe.ProbeHandler.exec of type v1.ExecAction',
  ],
  [
    CONFIG_MAP,
    '{"data":{"a":{"b":1}}}',
    'json: cannot unmarshal object into Go struct field ConfigMap.data of type string',
  ],
  [
    'io.k8s.api.core.v1.Secret',
    '{"data":"x"}',
    'json: cannot unmarshal string into Go struct field Secret.data of type map[string][]uint8',
  ],
  [
    'io.k8s.api.core.v1.Service',
    '{"spec":{"ports":[{"targetPort":{}}]}}',
    'json: cannot unmarshal object into Go struct field ServicePort.spec.ports.targetPort of type int32',
  ],
  [CONFIG_MAP, '{"binaryData":{"a":"aGk=="}}', 'illegal base64 data at input byte 4'],
  [CONFIG_MAP, '{"binaryData":{"a":"a*b"}}', 'illegal base64 data at input byte 1'],
  [
    CONFIG_MAP,
    '{"metadata":{"creationTimestamp":"notatime"}}',
    'parsing time "notatime" as "2006-01-02T15:04:05Z07:00": cannot parse "notatime" as "2006"',
  ],
  [
    CONFIG_MAP,
    '{"metadata":{"creationTimestamp":"2024-13-01T00:00:00Z"}}',
    'parsing time "2024-13-01T00:00:00Z": month out of range',
  ],
  [
    CONFIG_MAP,
    '{"metadata":{"creationTimestamp":"2023-02-29T00:00:00Z"}}',
    'parsing time "2023-02-29T00:00:00Z": day out of range',
  ],
  [
    CONFIG_MAP,
    '{"metadata":{"creationTimestamp":"2024-01-01T00:00:00+25:00"}}',
    'parsing time "2024-01-01T00:00:00+25:00": time zone offset hour out of range',
  ],
  [
    POD,
    '{"spec":{"overhead":{"cpu":"1x"}}}',
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
  ],
  [CONFIG_MAP, '{', 'unexpected end of JSON input'],
  [CONFIG_MAP, '{"a":1,}', "invalid character '}' looking for beginning of object key string"],
  [CONFIG_MAP, '{"a" 1}', "invalid character '1' after object key"],
  [CONFIG_MAP, '{} x', "invalid character 'x' after top-level value"],
  [CONFIG_MAP, '{"a":tru}', "invalid character '}' in literal true (expecting 'e')"],
  [CONFIG_MAP, '{"a":[1 2]}', "invalid character '2' after array element"],
  [CONFIG_MAP, String.raw`{"a":"\x"}`, "invalid character 'x' in string escape code"],
]

test('a value of a wrong type is refused in the words of Go', () => {
  for (const [kind, body, message] of TYPE_ERRORS)
    assert.throws(() => decodeJson(schemaOf(kind), body, strict), { message, code: 400 }, body)
})

test('unknown fields are dropped, and named unless nobody asks', () => {
  const body =
    '{"metadata":{"name":"a","bogus2":{}},"spec":{"containers":[{"name":"c","foo":1}],"Volumes":[]},"bogus":1}'
  const { object, problems } = decodeJson(schemaOf(POD), body, strict)
  assert.deepEqual(problems, [
    'unknown field "metadata.bogus2"',
    'unknown field "spec.containers[0].foo"',
    'unknown field "spec.Volumes"',
    'unknown field "bogus"',
  ])
  assert.deepEqual(object['metadata'], { name: 'a' })
  assert.deepEqual(decodeJson(schemaOf(POD), body).problems, [])
})

test('at most 100 problems are told', () => {
  const fields = Array.from({ length: 150 }, (_, index) => `"bogus${index}":1`).join(',')
  assert.equal(decodeJson(schemaOf(CONFIG_MAP), `{${fields}}`, strict).problems.length, 100)
})

test('duplicate fields are named in order, and merge as in Go', () => {
  const body = '{"metadata":{"name":"a","name":"b"},"data":{"x":"1","x":"2"},"bogus":{"y":1,"y":2},"data":{"y":"1"}}'
  const { object, problems } = decodeJson(schemaOf(CONFIG_MAP), body, strict)
  assert.deepEqual(problems, [
    'duplicate field "metadata.name"',
    'duplicate field "data.x"',
    'unknown field "bogus"',
    'duplicate field "data"',
  ])
  assert.deepEqual(object, { metadata: { name: 'b' }, data: { x: '2', y: '1' } })
})

test('null is absent, zero values are what Go holds', () => {
  const { object } = decodeJson(
    schemaOf(POD),
    '{"metadata":null,"spec":{"containers":[{"image":"","command":[null],"stdin":false,"env":[]}],"nodeSelector":{},"hostNetwork":null}}',
  )
  assert.deepEqual(object, {
    metadata: {},
    spec: { containers: [{ name: '', resources: {}, command: [''] }] },
    status: {},
  })
})

test('without zero values a body stays as sparse as it was', () => {
  const { object } = decodeJson(schemaOf(POD), '{"spec":{"hostNetwork":false}}', { fillZeros: false })
  assert.deepEqual(object, { spec: { hostNetwork: false } })
})

test('quantities, times and base64 are brought to their canonical form', () => {
  const { object } = decodeValue(schemaOf(POD), {
    metadata: { creationTimestamp: '2024-01-01T02:00:00.5+01:30', deletionTimestamp: '0001-01-01T00:00:00Z' },
    spec: { containers: [], overhead: { cpu: 0.5, memory: '1024Mi' } },
  })
  assert.deepEqual(object['metadata'], { creationTimestamp: '2024-01-01T00:30:00Z' })
  assert.deepEqual(object['spec'], { containers: [], overhead: { cpu: '500m', memory: '1Gi' } })
  const lease = decodeValue(schemaOf('io.k8s.api.coordination.v1.Lease'), {
    spec: { renewTime: '2024-01-01T00:00:00.123456+01:00' },
  })
  assert.deepEqual(lease.object['spec'], { renewTime: '2023-12-31T23:00:00.123456Z' })
})

test('integers beyond 2^53 keep every digit', () => {
  const { object } = decodeJson(schemaOf(POD), '{"spec":{"containers":[],"activeDeadlineSeconds":9007199254740993}}')
  assert.match(JSON.stringify(object), /"activeDeadlineSeconds":9007199254740993/)
})

test('a quantity keeps how its number was written', () => {
  const { object } = decodeJson(schemaOf(POD), '{"spec":{"containers":[],"overhead":{"cpu":1e3,"memory":1.0}}}')
  assert.deepEqual((object['spec'] as { overhead: unknown }).overhead, { cpu: '1e3', memory: '1' })
})

test('keys of maps may be any text', () => {
  const body = '{"data":{"__proto__":"a","constructor":"b","1":"c"}}'
  const { object } = decodeJson(schemaOf(CONFIG_MAP), body)
  assert.deepEqual(object['data'], JSON.parse('{"1":"c","__proto__":"a","constructor":"b"}'))
})
