/** Answers in CBOR: whole objects, lists and the events of watches. */
import { encodeCbor, encodeCborEvent, encodeListHead, SELF_DESCRIBED } from '#machinery/cbor/encode.ts'
import type { ProtobufTypes } from '../protobuf-types.ts'
import type { ResponseBody, ServedWatchEvent } from '../request.ts'

type Typed = { readonly apiVersion?: unknown; readonly kind?: unknown }
type ListBody = Extract<ResponseBody, { form: 'list' }>

export function encodeCborObject(object: unknown, types: ProtobufTypes): Buffer {
  const { apiVersion, kind } = (object ?? {}) as Typed
  const isTyped = typeof kind === 'string'
  return encodeCbor(object, isTyped ? types(typeof apiVersion === 'string' ? apiVersion : '', kind) : null)
}

/** A part an item. */
export function* cborParts(body: ListBody, types: ProtobufTypes): Generator<Buffer> {
  const { apiVersion, kind, metadata, items, keepsItemTypes, extra, itemsName = 'items' } = body
  const itemType = types(apiVersion, kind.slice(0, -'List'.length))
  yield encodeListHead({ kind, apiVersion, metadata, ...extra }, itemsName, items.length)
  for (const item of items) {
    const object = item.object() as unknown as Record<string, unknown>
    const { kind: _kind, apiVersion: _apiVersion, ...rest } = object
    // Within a list, the tag stands in front of the list alone.
    yield encodeCbor(keepsItemTypes ? object : rest, itemType).subarray(SELF_DESCRIBED.length)
  }
}

/** Events that several watchers get are encoded once; the frame goes with the event. */
const frames = new WeakMap<ServedWatchEvent, Buffer>()

/** One event of a watch; in a sequence each says where it ends. */
export function cborFrame(event: ServedWatchEvent, types: ProtobufTypes): Buffer {
  let frame = frames.get(event)
  if (frame === undefined)
    frames.set(event, (frame = encodeCborEvent(event.type, encodeCborObject(event.object(), types))))
  return frame
}
