/** Answers in protobuf: whole objects, lists and the frames of watches. */
import type { Clock } from '#base/clock.ts'
import { encodeMessage, writeMessage } from '#machinery/protobuf/encode-message.ts'
import { toProtobuf, wrapMessage } from '#machinery/protobuf/envelope.ts'
import { writeBytes } from '#machinery/protobuf/wire-writer.ts'
import type { ProtobufTypes } from '../protobuf-types.ts'
import type { ResponseBody, ServedWatchEvent } from '../request.ts'
import { SLICE_MS } from './output.ts'

type Typed = { readonly apiVersion?: unknown; readonly kind?: unknown }
type ListBody = Extract<ResponseBody, { form: 'list' }>

/** Field of the items in the message of every list. */
const ITEMS = 2

/** Null for an object that is no message. */
export function encodeProtobuf(object: unknown, types: ProtobufTypes): Buffer | null {
  const typeName = typeOf(object, types)
  return typeName === null ? null : toProtobuf(object as Record<string, unknown>, typeName)
}

function typeOf(object: unknown, types: ProtobufTypes): string | null {
  const { apiVersion, kind } = (object ?? {}) as Typed
  return typeof kind === 'string' ? types(typeof apiVersion === 'string' ? apiVersion : '', kind) : null
}

/** In parts, a part an item; null for a list of objects that are no messages. Gives way to other work between items. */
export async function encodeProtobufList(
  { apiVersion, kind, metadata, items }: ListBody,
  types: ProtobufTypes,
  clock: Clock,
): Promise<Buffer[] | null> {
  const [listType, itemType] = [types(apiVersion, kind), types(apiVersion, kind.slice(0, -'List'.length))]
  if (listType === null || itemType === null) return null
  const parts = [encodeMessage(listType, { metadata })]
  let sliceEnd = clock.monotonic() + SLICE_MS
  for (const item of items) {
    parts.push(writeBytes((writer) => writer.message(ITEMS, () => writeMessage(writer, itemType, item.object()))))
    if (clock.monotonic() < sliceEnd) continue
    await clock.yield()
    sliceEnd = clock.monotonic() + SLICE_MS
  }
  return wrapMessage({ apiVersion, kind }, parts)
}

/** Events that several watchers get are encoded once; the frame goes with the event. */
const frames = new WeakMap<ServedWatchEvent, Buffer>()

/** One event of a watch: its length in four bytes, then type and object (in an envelope of its own). */
export function protobufFrame(event: ServedWatchEvent, types: ProtobufTypes): Buffer {
  let frame = frames.get(event)
  if (frame === undefined) frames.set(event, (frame = encodeFrame(event, types)))
  return frame
}

function encodeFrame(event: ServedWatchEvent, types: ProtobufTypes): Buffer {
  const object = encodeProtobuf(event.object(), types)
  if (object === null) throw new Error('an object of a watch has no protobuf message')
  const message = writeBytes((writer) => {
    writer.message(2, () => writer.bytes(1, object))
    writer.text(1, event.type)
  })
  const length = Buffer.alloc(4)
  length.writeUInt32BE(message.length)
  return Buffer.concat([length, message])
}
