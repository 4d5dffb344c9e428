/** Objects, lists and events as CBOR, and the ways of a watch on the wire. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import '#api/schemas.ts'
import { KINDS } from '#api/kinds.ts'
import { cborToJson } from '#machinery/cbor/decode.ts'
import type { StoredObject } from '../request.ts'
import { protobufTypesOf } from '../protobuf-types.ts'
import { cborFrame, cborParts, encodeCborObject } from './cbor-writer.ts'
import { CBOR, JSON_TYPE, PROTOBUF } from './negotiation.ts'
import { framingOf } from './watch-framing.ts'

const types = protobufTypesOf(KINDS)
const MAP = { apiVersion: 'v1', kind: 'ConfigMap', binaryData: { k: 'AQID' }, data: { k: 'AQID' } }
const storedOf = (object: object): StoredObject => ({
  key: '',
  revision: 1,
  bytes: Buffer.from(JSON.stringify(object)),
  object: () => object as never,
})

test('bytes are tagged where the kind has bytes, and only there', () => {
  assert.equal(
    encodeCborObject(MAP, types).toString('hex'),
    'd9d9f7a44a61706956657273696f6e427631446b696e6449436f6e6669674d61704a62696e61727944617461a1416bd643010203' +
      '4464617461a1416b4441514944',
  )
})

test('a list is one item of CBOR, and its items do not repeat what it says', () => {
  const list = { apiVersion: 'v1', kind: 'ConfigMapList', metadata: { resourceVersion: '7' } }
  const body = { form: 'list', ...list, items: [storedOf(MAP), storedOf(MAP)] } as const
  const { apiVersion: _apiVersion, kind: _kind, ...item } = MAP
  const bytes = Buffer.concat([...cborParts(body, types)])
  assert.deepEqual(JSON.parse(cborToJson(bytes)), { ...list, items: [item, item] })
})

test('events follow each other as the encoding has it', () => {
  const event = { type: 'ADDED', bytes: Buffer.from(JSON.stringify(MAP)), object: () => MAP } as const
  const cbor = framingOf(CBOR, types)
  assert.equal(cbor.contentType, 'application/cbor-seq')
  assert.deepEqual(cbor.join([event, event]), Buffer.concat([cborFrame(event, types), cborFrame(event, types)]))
  assert.deepEqual(JSON.parse(cborToJson(cbor.message(event))), { type: 'ADDED', object: MAP })
  const lines = framingOf(JSON_TYPE, types)
  assert.equal(lines.join([event]).toString(), `{"type":"ADDED","object":${JSON.stringify(MAP)}}\n`)
  const protobuf = framingOf(PROTOBUF, types)
  assert.equal(protobuf.join([event]).length, 4 + protobuf.message(event).length)
  assert.deepEqual([cbor.isText, lines.isText, protobuf.isText], [false, true, false])
})
