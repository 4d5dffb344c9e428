/** Every kind has a message, and an object with every field there is comes back from its bytes as it was. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatApiVersion } from '#api/kind.ts'
import { ALL_KINDS } from '#api/kinds.ts'
import { decodeMessage } from '#machinery/protobuf/decode-message.ts'
import { protobufToJson, toProtobuf } from '#machinery/protobuf/envelope.ts'
import { writeBytes, type WireWriter } from '#machinery/protobuf/wire-writer.ts'
import { typeDataOf } from '#machinery/schema/registry.ts'
import { FLAGS, fullName } from '#machinery/schema/schema-data.ts'
import { protobufTypesOf } from './protobuf-types.ts'

const types = protobufTypesOf(ALL_KINDS)

/** Numbers that take all ten bytes of the wire, texts of several bytes a letter. */
const SCALARS: Readonly<Record<string, unknown>> = { s: 'naïve ☸', b: true, i: -7, l: 9_007_199_254_740_991, d: -1.5 }

const EXAMPLES: Readonly<Record<string, unknown>> = {
  Time: '2026-01-02T03:04:05Z',
  MicroTime: '1969-12-31T23:59:59.000006Z',
  Duration: '90s',
  Quantity: '1500m',
  IntOrString: '25%',
  RawExtension: { raw: [1, null, 'é'] },
  FieldsV1: { 'f:spec': {} },
  JSON: { z: 1, a: [null] },
  JSONSchemaPropsOrBool: false,
  JSONSchemaPropsOrArray: [{ type: 'string' }],
  JSONSchemaPropsOrStringArray: ['a', 'b'],
}

/** An object with each field of the type, but those that lead back to a type above. */
function exampleOf(typeName: string, above: readonly string[]): Record<string, unknown> {
  const { data, packages } = typeDataOf(typeName)
  const object: Record<string, unknown> = {}
  for (const [name, type, flags, proto] of data.fields ?? []) {
    if (proto === undefined || (flags & FLAGS.typeMeta) !== 0) continue
    const value = valueOf(type, packages, [...above, typeName])
    if ((flags & FLAGS.inline) !== 0) Object.assign(object, value)
    else if (value !== undefined) object[name] = value
  }
  return object
}

function valueOf(type: string, packages: readonly string[], above: readonly string[]): unknown {
  if (type in SCALARS) return SCALARS[type]
  if (type === 'y') return Buffer.from('bytes').toString('base64')
  if (type === '*') return undefined
  if (type.startsWith('[]') || type.startsWith('{}')) {
    const item = valueOf(type.slice(2), packages, above)
    if (item === undefined) return undefined
    return type.startsWith('[]') ? [item, item] : { '': item, key: item }
  }
  const typeName = fullName(type, packages)
  const example = EXAMPLES[typeName.slice(typeName.lastIndexOf('.') + 1)]
  if (example !== undefined) return example
  if (above.includes(typeName)) return undefined
  const { data, packages: inner } = typeDataOf(typeName)
  return data.wrapper === undefined ? exampleOf(typeName, above) : valueOf(data.wrapper, inner, above)
}

test('an object of each kind, and a list of them, survives its bytes with every field', () => {
  for (const kind of ALL_KINDS) {
    const apiVersion = formatApiVersion(kind)
    const typeName = types(apiVersion, kind.kind)
    assert.ok(typeName !== null, `${apiVersion} ${kind.kind} has no message`)
    const object = { kind: kind.kind, apiVersion, ...exampleOf(typeName, []) }
    assert.ok(Object.keys(object).length > 2)
    assert.deepEqual(JSON.parse(protobufToJson(toProtobuf(object, typeName), types).toString()), object)
    if (!kind.verbs.includes('list') || kind.verbs.length === 1) continue
    assert.equal(types(apiVersion, `${kind.kind}List`), `${typeName}List`)
  }
})

test('zeros that JSON leaves out are on the wire, and are left out again', () => {
  const pod = {
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: {},
    spec: { containers: [{ name: 'c', resources: {} }] },
    status: {},
  }
  const bytes = toProtobuf(pod, types('v1', 'Pod')!)
  assert.ok(bytes.length > 100)
  assert.deepEqual(JSON.parse(protobufToJson(bytes, types).toString()), pod)
})

test('a table and kinds that nobody knows have none', () => {
  assert.equal(types('meta.k8s.io/v1', 'Table'), null)
  assert.equal(types('example.com/v1', 'Pod'), null)
  assert.equal(
    types('meta.k8s.io/v1', 'PartialObjectMetadata'),
    'io.k8s.apimachinery.pkg.apis.meta.v1.PartialObjectMetadata',
  )
})

const SCHEMA = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps'
/** Schemas under `not`. */
const nested = (depth: number): Buffer =>
  writeBytes((writer) => {
    const write = (level: number): void => {
      if (level > 0) writer.message(28, () => write(level - 1))
    }
    write(depth)
  })

test('a message that is deeper than any object is refused before the stack is exhausted', () => {
  assert.ok(JSON.stringify(decodeMessage(SCHEMA, nested(900))).length > 900)
  assert.throws(() => decodeMessage(SCHEMA, nested(2000)), { code: 400, message: 'proto: exceeded max depth' })
  const raw = writeBytes((writer) => writer.message(8, () => writer.text(1, '['.repeat(20_000) + ']'.repeat(20_000))))
  assert.throws(() => decodeMessage(SCHEMA, raw), { code: 400, message: "invalid character '[' exceeded max depth" })
})

test('one of two things is of the wire type of either', () => {
  const rows: [field: number, write: (writer: WireWriter) => void, problem: string][] = [
    [24, (writer) => writer.integer(1, 5), 'proto: wrong wireType = 0 for field Schema'],
    [24, (writer) => writer.integer(2, 5), 'proto: wrong wireType = 0 for field JSONSchemas'],
    [30, (writer) => writer.text(1, 'x'), 'proto: wrong wireType = 2 for field Allows'],
    [30, (writer) => writer.integer(2, 5), 'proto: wrong wireType = 0 for field Schema'],
  ]
  for (const [field, write, message] of rows) {
    const bytes = writeBytes((writer) => writer.message(field, () => write(writer)))
    assert.throws(() => decodeMessage(SCHEMA, bytes), { code: 400, message })
  }
})
