/** Answers in protobuf: byte for byte those of a real API server for the same objects (testdata holds both forms). */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { KINDS } from '#api/kinds.ts'
import { SystemClock } from '#base/clock.ts'
import { SeededRandom } from '#base/random.ts'
import { protobufToJson } from '#machinery/protobuf/envelope.ts'
import { StatusError } from '#machinery/status-error.ts'
import { protobufTypesOf } from '../protobuf-types.ts'
import type { ServedWatchEvent, StoredObject } from '../request.ts'
import { encodeProtobuf, encodeProtobufList, protobufFrame } from './protobuf-writer.ts'

type Typed = { apiVersion: string; kind: string; metadata: Record<string, unknown>; items?: Typed[] }
type Answer = { readonly json: Typed; readonly protobuf: string }

const types = protobufTypesOf(KINDS)
const readData = (name: string): string => readFileSync(new URL(`testdata/${name}`, import.meta.url), 'utf8')
const answers = readData('protobuf-answers.jsonl')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Answer)

/** Fields that JSON shows as null are not on the wire. */
function withoutNulls(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_key, field: unknown) => (field === null ? undefined : field)))
}

test('objects, lists, metadata alone, errors and documents are the bytes that a real API server sends', () => {
  for (const { json, protobuf } of answers)
    assert.equal(encodeProtobuf(json, types)?.toString('base64'), protobuf, `${json.apiVersion} ${json.kind}`)
})

test('and those bytes read as the objects', () => {
  // Compared by their bytes alone: a default of a custom resource may hold nulls, and items of metadata lose their type.
  const others = new Set(['CustomResourceDefinition', 'PartialObjectMetadataList'])
  for (const { json, protobuf } of answers.filter(({ json }) => !others.has(json.kind))) {
    const read = JSON.parse(protobufToJson(Buffer.from(protobuf, 'base64'), types).toString()) as unknown
    assert.deepEqual(read, withoutNulls(json), `${json.apiVersion} ${json.kind}`)
  }
})

test('bytes that were changed on their way are read or refused, and nothing else', () => {
  const random = new SeededRandom(1)
  const below = (limit: number): number => Math.floor(random.next() * limit)
  let refused = 0
  for (const { protobuf } of answers)
    for (let attempt = 0; attempt < 100; attempt++) {
      const bytes = Buffer.from(protobuf, 'base64')
      for (let change = 0; change <= below(4); change++) bytes[4 + below(bytes.length - 4)] = below(256)
      const sent = bytes.subarray(0, attempt % 5 === 0 ? 5 + below(bytes.length - 5) : bytes.length)
      try {
        JSON.parse(protobufToJson(sent, types).toString())
      } catch (error) {
        assert.ok(error instanceof StatusError && error.code === 400, sent.toString('base64'))
        refused++
      }
    }
  assert.ok(refused > answers.length, 'most changes break a message')
})

test('a list that is written item by item is the same bytes', async () => {
  const { json, protobuf } = answers.find(({ json }) => json.kind === 'NamespaceList')!
  const items = json.items!.map((item) => ({ object: () => item }) as unknown as StoredObject)
  const { apiVersion, kind, metadata } = json
  const list = { form: 'list', apiVersion, kind, metadata, items } as const
  const written = await encodeProtobufList(list, types, new SystemClock())
  // Head, metadata, the items and the tail: nobody joins a long list in memory.
  assert.equal(written?.length, items.length + 3)
  assert.equal(Buffer.concat(written!).toString('base64'), protobuf)
})

test('a watch sends frames, each event encoded once', () => {
  const { json, frame } = JSON.parse(readData('protobuf-watch-frame.json')) as {
    json: { type: 'ADDED'; object: Typed }
    frame: string
  }
  const [bytes, object] = [Buffer.from(JSON.stringify(json.object)), () => json.object]
  const added: ServedWatchEvent = { type: json.type, bytes, object }
  assert.equal(protobufFrame(added, types).toString('base64'), frame)
  assert.equal(protobufFrame(added, types), protobufFrame(added, types))
  // Watchers with other filters see the same object appear and change.
  const modified = protobufFrame({ type: 'MODIFIED', bytes, object }, types)
  assert.equal(modified.length, Buffer.from(frame, 'base64').length + 'MODIFIED'.length - 'ADDED'.length)
})

test('what is no message is answered in another form', () => {
  assert.equal(encodeProtobuf({ apiVersion: 'meta.k8s.io/v1', kind: 'Table' }, types), null)
  assert.equal(encodeProtobuf({ apiVersion: 'unknown/v1', kind: 'Pod' }, types), null)
  assert.equal(encodeProtobuf({ gitVersion: 'v1' }, types), null)
})
