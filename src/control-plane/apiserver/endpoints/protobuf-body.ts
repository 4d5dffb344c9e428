/** Turns protobuf bodies into JSON ones before any verb sees them; what is none is left to the verb, which knows what it wants. */
import { envelopeProblem, PROTOBUF_MEDIA_TYPE, protobufToJson } from '#machinery/protobuf/envelope.ts'
import type { ProtobufTypes } from '../protobuf-types.ts'
import type { ApiRequest } from '../request.ts'

export type BodyConverter = (request: ApiRequest) => ApiRequest

export function createBodyConverter(types: ProtobufTypes): BodyConverter {
  return (request) => {
    const { body } = request
    if (body.form !== 'bytes' || !body.contentType.startsWith(PROTOBUF_MEDIA_TYPE)) return request
    if (envelopeProblem(body.bytes) !== null && (request.method === 'POST' || request.method === 'PUT')) return request
    return {
      ...request,
      body: { form: 'bytes', bytes: protobufToJson(body.bytes, types), contentType: 'application/json' },
    }
  }
}
