/** Request bodies against answers of a real API server. */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { decodeBody, type DecodeBodyOptions, type Kind } from './decode-body.ts'
import { hasSchema, schemaOf } from './registry.ts'
import { registerAllSchemas } from './testing.ts'

before(registerAllSchemas)

const expected: Kind = { group: '', version: 'v1', kind: 'ConfigMap' }
const schemaOfKind = ({ group, version, kind }: Kind): ReturnType<typeof schemaOf> | null => {
  const name = `io.k8s.api.${group === '' ? 'core' : group}.${version}.${kind}`
  return hasSchema(name) ? schemaOf(name) : null
}
const read = (body: string, options: Partial<DecodeBodyOptions> = {}): ReturnType<typeof decodeBody> =>
  decodeBody(Buffer.from(body), { format: 'json', expected, schemaOf: schemaOfKind, ...options })

/** Body, format, the recorded answer of a real API server. */
const REFUSALS: readonly (readonly [string, 'json' | 'yaml', string])[] = [
  [
    '{',
    'json',
    "the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; json parse error: unexpected end of JSON input ({)",
  ],
  [
    '',
    'json',
    "the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; json parse error: unexpected end of JSON input (<empty>)",
  ],
  [
    '[]',
    'json',
    String.raw`the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; json parse error: json: cannot unmarshal array into Go value of type struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" } (5b5d)`,
  ],
  [
    '{"apiVersion":"v1","kind":"ConfigMap"} trailing',
    'json',
    `the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; json parse error: invalid character 't' after top-level value ({"apiVersion":"v1","kind":"Con ...)`,
  ],
  [
    'a: [b',
    'yaml',
    "the object provided is unrecognized (must be of type ConfigMap): yaml: line 1: did not find expected ',' or ']' (613a205b62)",
  ],
  [
    '{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"a"}}',
    'json',
    'Deployment in version "v1" cannot be handled as a ConfigMap: converting (v1.Deployment) to (core.ConfigMap): unknown conversion',
  ],
  [
    '{"apiVersion":"v1","kind":"Bogus"}',
    'json',
    'Bogus in version "v1" cannot be handled as a ConfigMap: no kind "Bogus" is registered for version "v1" in scheme "pkg/runtime/scheme.go:111"',
  ],
  [
    'metadata: {name: y5, labels: {a: yes}}\n',
    'yaml',
    'ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal bool into Go struct field ObjectMeta.metadata.labels of type string',
  ],
]

test('a body that cannot be read is refused as a real API server does', () => {
  for (const [body, format, message] of REFUSALS)
    assert.throws(() => read(body, { format }), { message, code: 400 }, body)
})

test('apiVersion and kind come from the URL where the body has none', () => {
  assert.deepEqual(read('{"metadata":{"name":"a"}}').object, {
    metadata: { name: 'a' },
    apiVersion: 'v1',
    kind: 'ConfigMap',
  })
  assert.deepEqual(read('', { format: 'yaml' }).object, { metadata: {}, apiVersion: 'v1', kind: 'ConfigMap' })
})

test('strict validation refuses what validation by warning tells', () => {
  const yaml = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: z, name: zz}\nbogus: 1\n'
  assert.throws(() => read(yaml, { format: 'yaml', fieldValidation: 'Strict' }), {
    message:
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: yaml: unmarshal errors:\n  line 3: key "name" already set in map, unknown field "bogus"',
  })
  assert.deepEqual(read(yaml, { format: 'yaml', fieldValidation: 'Warn' }).problems, [
    'line 3: key "name" already set in map',
    'unknown field "bogus"',
  ])
})
