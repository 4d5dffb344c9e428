/** Encodes lists item by item, so that the longest one neither holds the event loop nor stands in memory as a whole. */
import type { Clock } from '#base/clock.ts'
import type { ProtobufTypes } from '../protobuf-types.ts'
import type { ResponseBody } from '../request.ts'
import { cborParts } from './cbor-writer.ts'
import { writeJson, writePrettyJson } from './json-writer.ts'
import { CBOR, JSON_TYPE, PROTOBUF, YAML_TYPE, type MediaType } from './negotiation.ts'
import { SLICE_MS } from './output.ts'
import { encodeProtobufList } from './protobuf-writer.ts'
import { compareKeys, writeYaml, writeYamlItem } from './yaml-writer.ts'

export type ListBody = Extract<ResponseBody, { form: 'list' }>

export type ListEncoding = {
  readonly mediaType: MediaType
  readonly pretty: boolean
  readonly clock: Clock
  readonly protobufTypes: ProtobufTypes
}

/** `size` is null for a long list: it is on its way before its last part is looked at. */
export type EncodedList = {
  readonly mediaType: MediaType
  readonly parts: Iterable<Buffer>
  readonly size: number | null
}

/** Lists up to this length say their size. */
const SIZED_ITEMS_MAX = 500

export async function listParts(body: ListBody, encoding: ListEncoding): Promise<EncodedList> {
  const { clock, protobufTypes } = encoding
  if (encoding.mediaType === PROTOBUF) {
    const parts = await encodeProtobufList(body, protobufTypes, clock)
    if (parts !== null) return { mediaType: PROTOBUF, parts, size: lengthOf(parts) }
  }
  const mediaType = encoding.mediaType === PROTOBUF ? JSON_TYPE : encoding.mediaType
  const parts = partsOf(body, { ...encoding, mediaType })
  if (body.items.length > SIZED_ITEMS_MAX) return { mediaType, parts, size: null }
  const collected = await collectParts(parts, clock)
  return { mediaType, parts: collected, size: lengthOf(collected) }
}

function partsOf(body: ListBody, { mediaType, pretty, protobufTypes }: ListEncoding): Iterable<Buffer> {
  if (mediaType === YAML_TYPE) return yamlParts(body)
  if (mediaType === CBOR) return cborParts(body, protobufTypes)
  return pretty ? prettyParts(body) : listJsonParts(body)
}

/** All of them, with time for others between them. */
export async function collectParts(parts: Iterable<Buffer>, clock: Clock): Promise<Buffer[]> {
  const collected: Buffer[] = []
  let sliceEnd = clock.monotonic() + SLICE_MS
  for (const part of parts) {
    collected.push(part)
    if (clock.monotonic() < sliceEnd) continue
    await clock.yield()
    sliceEnd = clock.monotonic() + SLICE_MS
  }
  return collected
}

function lengthOf(parts: readonly Buffer[]): number {
  let length = 0
  for (const part of parts) length += part.length
  return length
}

/** All of a list but its items. */
const headOf = ({ kind, apiVersion, metadata, extra }: ListBody): Record<string, unknown> => ({
  kind,
  apiVersion,
  metadata,
  ...extra,
})

const itemsField = ({ itemsName = 'items' }: ListBody): string => itemsName

const [COMMA, OPEN, COMMA_OPEN] = [Buffer.from(','), Buffer.from('{'), Buffer.from(',{')]
const LIST_END = Buffer.from(']}\n')

/** Head, items and tail. An item is a view of its stored bytes, past the type that the list already says, unless it is changed. */
export function* listJsonParts(body: ListBody, change?: (item: unknown) => unknown): Generator<Buffer> {
  yield Buffer.from(`${writeJson(headOf(body)).slice(0, -1)},"${itemsField(body)}":[`)
  yield* change === undefined ? itemViews(body) : changedItems(body, change)
  yield LIST_END
}

function* changedItems(body: ListBody, change: (item: unknown) => unknown): Generator<Buffer> {
  let isFirst = true
  for (const item of decodedItems(body)) {
    yield Buffer.from(`${isFirst ? '' : ','}${JSON.stringify(change(item))}`)
    isFirst = false
  }
}

function* itemViews(body: ListBody): Generator<Buffer> {
  const itemHead = itemHeadOf(body)
  let isFirst = true
  for (const { bytes } of body.items) {
    const isHeaded = itemHead !== null && beginsWith(bytes, itemHead)
    if (isHeaded) yield isFirst ? OPEN : COMMA_OPEN
    else if (!isFirst) yield COMMA
    isFirst = false
    yield isHeaded ? bytes.subarray(itemHead.length) : bytes
  }
}

function itemHeadOf({ kind, apiVersion, keepsItemTypes }: ListBody): Buffer | null {
  if (keepsItemTypes) return null
  return Buffer.from(`{"kind":"${kind.slice(0, -'List'.length)}","apiVersion":"${apiVersion}",`)
}

const beginsWith = (bytes: Buffer, head: Buffer): boolean =>
  bytes.length > head.length && bytes.compare(head, 0, head.length, 0, head.length) === 0

function* prettyParts(body: ListBody): Generator<Buffer> {
  const head = writeJson(headOf(body), true).slice(0, -'\n}'.length)
  if (body.items.length === 0) return yield Buffer.from(`${head},\n  "${itemsField(body)}": []\n}`)
  yield Buffer.from(`${head},\n  "${itemsField(body)}": [\n`)
  let isFirst = true
  for (const item of decodedItems(body)) {
    yield Buffer.from(`${isFirst ? '' : ',\n'}    ${writePrettyJson(item, 2)}`)
    isFirst = false
  }
  yield Buffer.from('\n  ]\n}')
}

/** Keys stand in the order of their names, so the items are in the midst of the rest. */
function* yamlParts(body: ListBody): Generator<Buffer> {
  const name = itemsField(body)
  const head = headOf(body)
  for (const key of [...Object.keys(head), name].toSorted(compareKeys)) {
    if (key !== name) yield Buffer.from(writeYaml({ [key]: head[key] }))
    else if (body.items.length === 0) yield Buffer.from(`${name}: []\n`)
    else {
      yield Buffer.from(`${name}:\n`)
      for (const item of decodedItems(body)) yield Buffer.from(writeYamlItem(item))
    }
  }
}

function* decodedItems({ items, keepsItemTypes }: ListBody): Generator<unknown> {
  for (const item of items) {
    const decoded = JSON.parse(item.bytes.toString()) as Record<string, unknown>
    if (!keepsItemTypes) {
      delete decoded['kind']
      delete decoded['apiVersion']
    }
    yield decoded
  }
}
