/** Objects on the protobuf wire: four magic bytes, then a message that names the kind and holds the object's own message. */
import { badRequest } from '../status-error.ts'
import { decodeMessage } from './decode-message.ts'
import { writeMessage } from './encode-message.ts'
import { expectWire, WIRE, WireReader } from './wire-reader.ts'
import { writeBytes, type WireWriter } from './wire-writer.ts'

export const PROTOBUF_MEDIA_TYPE = 'application/vnd.kubernetes.protobuf'

const MAGIC = Buffer.from('k8s\0')

export type Envelope = { readonly apiVersion: string; readonly kind: string; readonly raw: Buffer }

/** Why bytes cannot be an envelope, in upstream's words; null when they look like one. */
export function envelopeProblem(body: Buffer): string | null {
  if (body.length === 0) return 'empty data'
  if (!body.subarray(0, MAGIC.length).equals(MAGIC))
    return 'provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]'
  return body.length === MAGIC.length ? 'empty body' : null
}

/** Throws StatusError 400 for bytes that are no envelope. */
export function openEnvelope(body: Buffer): Envelope {
  const problem = envelopeProblem(body)
  if (problem !== null) throw badRequest(problem)
  let [apiVersion, kind, raw] = ['', '', Buffer.alloc(0)]
  const reader = new WireReader(body.subarray(MAGIC.length), 'Unknown')
  while (!reader.isAtEnd) {
    const tag = reader.tag()
    if (tag.number === 1) {
      expectWire(tag, WIRE.bytes, 'TypeMeta')
      ;[apiVersion, kind] = readTypeMeta(reader.message('TypeMeta'))
    } else if (tag.number === 2) {
      expectWire(tag, WIRE.bytes, 'Raw')
      raw = reader.bytes() as Buffer<ArrayBuffer>
    } else reader.skip(tag.wire)
  }
  return { apiVersion, kind, raw }
}

function readTypeMeta(reader: WireReader): [string, string] {
  let [apiVersion, kind] = ['', '']
  while (!reader.isAtEnd) {
    const tag = reader.tag()
    if (tag.number > 2) {
      reader.skip(tag.wire)
      continue
    }
    expectWire(tag, WIRE.bytes, tag.number === 1 ? 'APIVersion' : 'Kind')
    if (tag.number === 1) apiVersion = reader.text()
    else kind = reader.text()
  }
  return [apiVersion, kind]
}

/**
 * The JSON that says the same as an opened body. `typeOf` gives the full name of the type of a kind, null for one that is not known:
 * such a body keeps only its kind, and is refused for it. Throws StatusError 400 for a message that is none of that type.
 */
export function envelopeToJson(
  { apiVersion, kind, raw }: Envelope,
  typeOf: (apiVersion: string, kind: string) => string | null,
): Buffer {
  const typeName = typeOf(apiVersion, kind)
  const object = typeName === null ? {} : decodeMessage(typeName, raw)
  return Buffer.from(
    JSON.stringify({ ...(kind === '' ? {} : { kind }), ...(apiVersion === '' ? {} : { apiVersion }), ...object }),
  )
}

export function protobufToJson(body: Buffer, typeOf: (apiVersion: string, kind: string) => string | null): Buffer {
  return envelopeToJson(openEnvelope(body), typeOf)
}

type Typed = { readonly apiVersion?: unknown; readonly kind?: unknown }

/** The envelope of an object, its own message included. `typeName` is the full name of its type. */
export function toProtobuf(object: Readonly<Record<string, unknown>>, typeName: string): Buffer {
  return writeBytes((writer) => {
    writeTail(writer)
    writer.message(RAW, () => writeMessage(writer, typeName, object))
    writeHead(writer, object)
  })
}

/** The envelope around a message that is encoded already, in parts: none of them is copied. */
export function wrapMessage(typed: Typed, parts: readonly Buffer[]): Buffer[] {
  let length = 0
  for (const part of parts) length += part.length
  const head = writeBytes((writer) => {
    writer.head(RAW, length)
    writeHead(writer, typed)
  })
  return [head, ...parts, writeBytes(writeTail)]
}

/** Field of the message. */
const RAW = 2

function writeHead(writer: WireWriter, { apiVersion = '', kind = '' }: Typed): void {
  writer.message(1, () => {
    writer.text(2, String(kind))
    writer.text(1, String(apiVersion))
  })
  writer.raw(MAGIC)
}

/** Content encoding and type: none, the message is protobuf itself. */
function writeTail(writer: WireWriter): void {
  writer.text(4, '')
  writer.text(3, '')
}
