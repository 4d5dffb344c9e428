/** How the events of a watch follow each other on the wire, in each encoding. */
import type { ProtobufTypes } from '../protobuf-types.ts'
import type { ServedWatchEvent } from '../request.ts'
import { cborFrame } from './cbor-writer.ts'
import { CBOR, CBOR_SEQUENCE, JSON_TYPE, PROTOBUF, type MediaType } from './negotiation.ts'
import { protobufFrame } from './protobuf-writer.ts'

export type WatchFraming = {
  readonly contentType: string
  /** Whole batches in one write. */
  readonly join: (events: readonly ServedWatchEvent[]) => Buffer
  /** One event as a message of a WebSocket, which knows its own length. */
  readonly message: (event: ServedWatchEvent) => Buffer
  readonly isText: boolean
}

const END = Buffer.from('}\n')
const prefixes = new Map<string, Buffer>()

function prefixOf(type: string): Buffer {
  let prefix = prefixes.get(type)
  if (prefix === undefined) prefixes.set(type, (prefix = Buffer.from(`{"type":"${type}","object":`)))
  return prefix
}

/** One JSON document a line. */
const LINES: WatchFraming = {
  contentType: JSON_TYPE,
  join: (events) => {
    const parts: Buffer[] = []
    for (const event of events) parts.push(prefixOf(event.type), event.bytes, END)
    return Buffer.concat(parts)
  },
  message: (event) => Buffer.concat([prefixOf(event.type), event.bytes, END]),
  isText: true,
}

/** Bytes of the length in front of a message of protobuf. */
const LENGTH_BYTES = 4

export function framingOf(mediaType: MediaType, types: ProtobufTypes): WatchFraming {
  if (mediaType === CBOR) {
    const frame = (event: ServedWatchEvent): Buffer => cborFrame(event, types)
    const join = (events: readonly ServedWatchEvent[]): Buffer => Buffer.concat(events.map(frame))
    return { contentType: CBOR_SEQUENCE, join, message: frame, isText: false }
  }
  if (mediaType !== PROTOBUF) return LINES
  return {
    contentType: `${PROTOBUF};stream=watch`,
    join: (events) => Buffer.concat(events.map((event) => protobufFrame(event, types))),
    message: (event) => protobufFrame(event, types).subarray(LENGTH_BYTES),
    isText: false,
  }
}
