/** Objects on the protobuf wire: four magic bytes, then a message that names the kind and holds the object's own message. */
import { badRequest } from '../status-error.ts'
import { decodeMessage } from './decode-message.ts'
import { encodeMessage } from './encode-message.ts'
import { WIRE, WireReader } from './wire-reader.ts'
import { WireWriter } from './wire-writer.ts'

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
  const reader = new WireReader(body.subarray(MAGIC.length))
  while (!reader.isAtEnd) {
    const { number, wire } = reader.tag()
    if (number === 1 && wire === WIRE.bytes) [apiVersion, kind] = readTypeMeta(reader.bytes())
    else if (number === 2 && wire === WIRE.bytes) raw = reader.bytes() as Buffer<ArrayBuffer>
    else reader.skip(wire)
  }
  return { apiVersion, kind, raw }
}

function readTypeMeta(message: Buffer): [string, string] {
  let [apiVersion, kind] = ['', '']
  const reader = new WireReader(message)
  while (!reader.isAtEnd) {
    const { number, wire } = reader.tag()
    if (number === 1) apiVersion = reader.bytes().toString('utf8')
    else if (number === 2) kind = reader.bytes().toString('utf8')
    else reader.skip(wire)
  }
  return [apiVersion, kind]
}

/**
 * The JSON that says the same as a protobuf body. `typeOf` gives the full name of the type of a kind, null for one that is not known:
 * such a body keeps only its kind, and is refused for it.
 */
export function protobufToJson(body: Buffer, typeOf: (apiVersion: string, kind: string) => string | null): Buffer {
  const { apiVersion, kind, raw } = openEnvelope(body)
  const typeName = typeOf(apiVersion, kind)
  const object = typeName === null ? {} : decodeMessage(typeName, raw)
  return Buffer.from(
    JSON.stringify({ ...(kind === '' ? {} : { kind }), ...(apiVersion === '' ? {} : { apiVersion }), ...object }),
  )
}

/** The envelope of an object, its own message included. `typeName` is the full name of its type. */
export function toProtobuf(object: Readonly<Record<string, unknown>>, typeName: string): Buffer {
  return closeEnvelope(object, encodeMessage(typeName, object))
}

/** The envelope around a message that is encoded already. */
export function closeEnvelope(
  { apiVersion = '', kind = '' }: { readonly apiVersion?: unknown; readonly kind?: unknown },
  message: Uint8Array,
): Buffer {
  const writer = new WireWriter()
  // Content encoding and type: none, the message is protobuf itself.
  writer.text(4, '')
  writer.text(3, '')
  writer.bytes(2, message)
  writer.message(1, () => {
    writer.text(2, String(kind))
    writer.text(1, String(apiVersion))
  })
  writer.raw(MAGIC)
  return writer.take()
}
