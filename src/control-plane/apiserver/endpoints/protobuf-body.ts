/** Reads protobuf bodies as the JSON that says the same, and refuses what is none in upstream's words. */
import {
  envelopeToJson,
  openEnvelope,
  PROTOBUF_MEDIA_TYPE,
  protobufToJson,
  type Envelope,
} from '#machinery/protobuf/envelope.ts'
import { badRequest, StatusError } from '#machinery/status-error.ts'
import type { ProtobufTypes } from '../protobuf-types.ts'
import type { ApiRequest } from '../request.ts'

export const isProtobuf = (contentType: string): boolean => contentType.startsWith(PROTOBUF_MEDIA_TYPE)

/** `expected` is the kind that the path wants. Throws StatusError 400. */
export function readProtobufBody(bytes: Buffer, expected: string, types: ProtobufTypes): Buffer {
  const envelope = explain(
    (problem) => `the object provided is unrecognized (must be of type ${expected}): ${problem} (${summary(bytes)})`,
    () => openEnvelope(bytes),
  )
  return explain(
    (problem) => `${describe(envelope)} cannot be handled as a ${expected}: ${problem}`,
    () => envelopeToJson(envelope, types),
  )
}

/** The options of a deletion are refused without naming what they should be. */
export function withJsonOptions(request: ApiRequest, types: ProtobufTypes): ApiRequest {
  const { body } = request
  if (body.form !== 'bytes' || !isProtobuf(body.contentType)) return request
  const bytes = protobufToJson(body.bytes, types)
  return { ...request, body: { form: 'bytes', bytes, contentType: 'application/json' } }
}

function explain<T>(words: (problem: string) => string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw error instanceof StatusError ? badRequest(words(error.message)) : error
  }
}

function describe({ apiVersion, kind }: Envelope): string {
  return `${kind} in version ${JSON.stringify(apiVersion.slice(apiVersion.indexOf('/') + 1))}`
}

/** Upstream shows no more of a body that is none. */
const SUMMARY_BYTES_MAX = 30

export function summary(bytes: Buffer): string {
  if (bytes.length === 0) return '<empty>'
  const shown = bytes.subarray(0, SUMMARY_BYTES_MAX).toString(bytes.toString('latin1', 0, 1) === '{' ? 'utf8' : 'hex')
  return bytes.length > SUMMARY_BYTES_MAX ? `${shown} ...` : shown
}
