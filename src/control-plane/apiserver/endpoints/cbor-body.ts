/** Reads CBOR bodies as the JSON that says the same, and refuses what is none in upstream's words. */
import { CborError, cborToJson } from '#machinery/cbor/decode.ts'
import { badRequest } from '#machinery/status-error.ts'
import { CBOR, type MediaType } from '../http/negotiation.ts'
import type { ApiRequest } from '../request.ts'
import { summary } from './protobuf-body.ts'

export const isCbor = (contentType: string, mediaTypes: readonly MediaType[]): boolean =>
  mediaTypes.includes(CBOR) && contentType.split(';')[0]!.trim().toLowerCase() === CBOR

/** `expected` is the kind that the path wants. Throws StatusError 400. */
export function readCborBody(bytes: Buffer, expected: string): Buffer {
  try {
    return Buffer.from(
      readCborMap(bytes, 'v1.TypeMeta', ' (cannot decode CBOR array to struct without toarray option)'),
    )
  } catch (error) {
    if (!(error instanceof CborError)) throw error
    throw badRequest(
      `the object provided is unrecognized (must be of type ${expected}): unable to determine group/version/kind: ` +
        `${error.message} (${summary(bytes)})`,
    )
  }
}

/** JSON of a map; throws CborError for anything else, naming the Go type that it should be. */
export function readCborMap(bytes: Buffer, goType: string, arrayHint = ''): string {
  const text = cborToJson(bytes)
  if (text.startsWith('{')) return text
  const hint = text.startsWith('[') ? arrayHint : ''
  throw new CborError(`cbor: cannot unmarshal ${typeNameOf(text)} into Go value of type ${goType}${hint}`)
}

function typeNameOf(text: string): string {
  if (text.startsWith('[')) return 'array'
  if (text.startsWith('"')) return 'byte string'
  if (/^\d+$/.test(text)) return 'positive integer'
  return /^-\d+$/.test(text) ? 'negative integer' : 'primitives'
}

/** The options of a deletion in the form in which they are read. */
export function withJsonOptionsOfCbor(request: ApiRequest, mediaTypes: readonly MediaType[]): ApiRequest {
  const { body } = request
  if (body.form !== 'bytes' || !isCbor(body.contentType, mediaTypes)) return request
  const bytes = readCborBody(body.bytes, 'DeleteOptions')
  return { ...request, body: { form: 'bytes', bytes, contentType: 'application/json' } }
}
