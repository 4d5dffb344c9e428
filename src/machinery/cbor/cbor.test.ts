/** CBOR as a real kube-apiserver writes and reads it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CborError, cborToJson } from './decode.ts'
import { encodeCbor, encodeCborEvent, encodeListHead } from './encode.ts'

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex')
const decode = (text: string): unknown => JSON.parse(cborToJson(hex(text)))

test('texts are byte strings, numbers are short', () => {
  const rows: [unknown, string][] = [
    [0, '00'],
    [23, '17'],
    [24, '1818'],
    [-1, '20'],
    [404, '190194'],
    [70_000, '1a00011170'],
    [2 ** 40, '1b0000010000000000'],
    [1.5, 'f93e00'],
    [0.1, 'fb3fb999999999999a'],
    [100_000.5, 'fa47c35040'],
    [[true, false, null], '83f5f4f6'],
    [{ a: undefined, b: 'ü' }, 'a1416242c3bc'],
  ]
  for (const [value, expected] of rows) assert.equal(encodeCbor(value, null).toString('hex'), `d9d9f7${expected}`)
  assert.equal(encodeListHead({ kind: 'L' }, 'items', 2).toString('hex'), 'd9d9f7a2446b696e64414c456974656d7382')
  assert.deepEqual(decode(encodeCborEvent('ADDED', encodeCbor({ a: 1 }, null)).toString('hex')), {
    type: 'ADDED',
    object: { a: 1 },
  })
})

test('whatever says the same is read as the same', () => {
  const rows: [string, unknown][] = [
    ['a1 61 61 61 62', { a: 'b' }],
    ['bf 41 61 5f 41 62 41 63 ff ff', { a: 'bc' }],
    ['9f 01 20 ff', [1, -1]],
    ['d6 43 010203', 'AQID'],
    ['d7 43 0102ff', '0102ff'],
    ['f7', null],
    ['f93e00', 1.5],
    ['c1 00', '1970-01-01T00:00:00Z'],
    ['d8 20 41 61', 'a'],
    ['41 ff', '\u{fffd}'],
  ]
  for (const [bytes, expected] of rows) assert.deepEqual(decode(bytes), expected, bytes)
  assert.equal(cborToJson(hex('1b7fffffffffffffff')), '9223372036854775807')
})

test('what upstream refuses is refused in its words', () => {
  const rows: [string, string][] = [
    ['', 'EOF'],
    ['7b7d', 'unexpected EOF'],
    ['9b7fffffffffffffff', 'unexpected EOF'],
    ['0100', 'cbor: 1 bytes of extraneous data starting at index 1'],
    ['ff', 'cbor: unexpected "break" code'],
    [
      'c11b7fffffffffffffff',
      'cbor: decoded time cannot be represented in RFC3339 format with sub-second precision: Time.MarshalText: year outside of range [0,9999]',
    ],
    ['1c', 'cbor: invalid additional information 28 for type positive integer'],
    ['61ff', 'cbor: invalid UTF-8 string'],
    ['a2 41 61 01 61 61 02', 'cbor: found duplicate map key "a" at map element index 1'],
    ['f97e00', 'cbor: data item of cbor type primitives is not accepted by protocol: floating-point NaN'],
    ['f97c00', 'cbor: data item of cbor type primitives is not accepted by protocol: floating-point infinity'],
    ['c24101', 'cbor: data item of cbor type tag is not accepted by protocol: bignum'],
    ['a10101', 'cbor: cannot unmarshal positive integer into Go value of type string'],
    ['81'.repeat(10_002), 'cbor: exceeded max nested level 10000'],
  ]
  for (const [bytes, message] of rows)
    assert.throws(
      () => cborToJson(hex(bytes)),
      (error) => error instanceof CborError && error.message === message,
      message,
    )
})
