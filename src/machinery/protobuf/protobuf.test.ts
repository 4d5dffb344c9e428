/** Protobuf bodies: real bytes of kubectl become the JSON that says the same, and broken ones are refused. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { registerSchemas } from '../schema/registry.ts'
import { StatusError } from '../status-error.ts'
import { protobufToJson } from './envelope.ts'

registerSchemas([])

/** Field of bytes or text. */
const bytes = (number: number, ...parts: (Buffer | string)[]): Buffer => {
  const content = Buffer.concat(parts.map((part) => Buffer.from(part)))
  return Buffer.concat([varint((number << 3) | 2), varint(content.length), content])
}
const number = (field: number, value: number): Buffer => Buffer.concat([Buffer.from([field << 3]), varint(value)])
function varint(value: number): Buffer {
  const out: number[] = []
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...out, rest])
    out.push((rest % 128) | 0x80)
  }
}
const envelope = (apiVersion: string, kind: string, raw: Buffer): Buffer =>
  Buffer.concat([Buffer.from('k8s\0'), bytes(1, bytes(1, apiVersion), bytes(2, kind)), bytes(2, raw)])
const META = 'io.k8s.apimachinery.pkg.apis.meta.v1'
const typeOf = (_apiVersion: string, kind: string): string | null => (kind === 'Unknown' ? null : `${META}.${kind}`)
const decode = (kind: string, raw: Buffer): unknown =>
  JSON.parse(protobufToJson(envelope('v1', kind, raw), typeOf).toString())

test('texts, numbers, lists, maps, times and nested messages', () => {
  const raw = Buffer.concat([
    bytes(1, 'name'),
    bytes(5, 'uid-1'),
    number(7, 300),
    bytes(8, number(1, 1_700_000_000)),
    bytes(11, bytes(1, 'app'), bytes(2, 'web')),
    bytes(11, bytes(1, 'empty')),
    bytes(14, 'a'),
    bytes(14, 'b'),
    bytes(13, bytes(1, 'Pod'), bytes(3, 'p'), bytes(4, 'u'), bytes(5, 'v1'), number(6, 1)),
    bytes(99, 'unknown fields are skipped'),
  ])
  assert.deepEqual(decode('ObjectMeta', raw), {
    kind: 'ObjectMeta',
    apiVersion: 'v1',
    name: 'name',
    uid: 'uid-1',
    generation: 300,
    creationTimestamp: '2023-11-14T22:13:20Z',
    labels: { app: 'web', empty: '' },
    finalizers: ['a', 'b'],
    ownerReferences: [{ kind: 'Pod', name: 'p', uid: 'u', apiVersion: 'v1', controller: true }],
  })
})

test('zero values that JSON leaves out are left out', () => {
  assert.deepEqual(decode('ObjectMeta', Buffer.concat([bytes(1, ''), bytes(8, Buffer.alloc(0)), number(7, 0)])), {
    kind: 'ObjectMeta',
    apiVersion: 'v1',
  })
})

test('a negative number and a pointer to zero survive', () => {
  const raw = Buffer.concat([Buffer.from([1 << 3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01])])
  assert.deepEqual(decode('DeleteOptions', raw), { kind: 'DeleteOptions', apiVersion: 'v1', gracePeriodSeconds: -1 })
  assert.deepEqual(decode('DeleteOptions', number(1, 0)), {
    kind: 'DeleteOptions',
    apiVersion: 'v1',
    gracePeriodSeconds: 0,
  })
})

test('what is no message is refused, and an unknown kind keeps its name', () => {
  for (const broken of [
    Buffer.from('{}'),
    Buffer.from('k8s\0\u000a\u00ff'),
    envelope('v1', 'ObjectMeta', Buffer.from([0x0a, 0x05, 0x61])),
  ])
    assert.throws(() => protobufToJson(broken, typeOf), StatusError)
  assert.deepEqual(decode('Unknown', bytes(1, 'x')), { kind: 'Unknown', apiVersion: 'v1' })
})

/** A tag of any number and wire type. */
const tag = (field: number, wire: number): Buffer => varint(field * 8 + wire)
const TEN_BYTES = Buffer.from('ffffffffffffffffff01', 'hex')

test('hostile messages are refused in the words of Go, and nothing else happens', () => {
  const rows: [raw: Buffer, problem: string][] = [
    [number(1, 5), 'proto: wrong wireType = 0 for field Name'],
    [bytes(7, 'x'), 'proto: wrong wireType = 2 for field Generation'],
    [number(8, 5), 'proto: wrong wireType = 0 for field CreationTimestamp'],
    [number(11, 5), 'proto: wrong wireType = 0 for field Labels'],
    [number(14, 5), 'proto: wrong wireType = 0 for field Finalizers'],
    [bytes(11, number(1, 5)), 'proto: wrong wireType = 0 for field Key'],
    [bytes(11, number(2, 5)), 'proto: wrong wireType = 0 for field Value'],
    [bytes(8, bytes(1, 'x')), 'proto: wrong wireType = 2 for field Seconds'],
    [bytes(8, tag(1, 0), Buffer.from('feffffffffffffff7f', 'hex')), 'a time in a protobuf body is out of range'],
    [bytes(8, tag(2, 0), TEN_BYTES), 'a time in a protobuf body is out of range'],
    [tag(50, 4), 'proto: ObjectMeta: wiretype end group for non-group'],
    [tag(50, 3), 'unexpected EOF'],
    [tag(50, 7), 'proto: illegal wireType 7'],
    [Buffer.from([0, 1]), 'proto: ObjectMeta: illegal tag 0 (wire type 0)'],
    [Buffer.concat([tag(1, 2), varint(2 ** 45)]), 'unexpected EOF'],
    [Buffer.concat([tag(1, 2), TEN_BYTES]), 'proto: negative length found during unmarshaling'],
    [Buffer.concat([tag(1, 2), Buffer.alloc(11, 0xff)]), 'proto: integer overflow'],
    [Buffer.concat([tag(1, 2), Buffer.from([0x80])]), 'unexpected EOF'],
  ]
  for (const [raw, message] of rows)
    assert.throws(() => decode('ObjectMeta', raw), { name: 'StatusError', code: 400, message }, raw.toString('hex'))
})

test('a group that nobody knows is skipped with all that is in it', () => {
  const group = Buffer.concat([tag(50, 3), tag(51, 3), number(1, 9), tag(51, 4), bytes(2, 'x'), tag(50, 4)])
  assert.deepEqual(decode('ObjectMeta', Buffer.concat([group, bytes(1, 'a')])), {
    kind: 'ObjectMeta',
    apiVersion: 'v1',
    name: 'a',
  })
})

test('a key of a map may have any name', () => {
  const { labels } = decode('ObjectMeta', bytes(11, bytes(1, '__proto__'), bytes(2, 'a'))) as { labels: object }
  assert.deepEqual(Object.entries(labels), [['__proto__', 'a']])
})
