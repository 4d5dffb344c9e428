/** Turns protobuf bodies into JSON ones before any verb sees them. */
import type { KindDefinition } from '#api/kind.ts'
import { PROTOBUF_MEDIA_TYPE, protobufToJson } from '#machinery/protobuf/envelope.ts'
import { hasSchema } from '#machinery/schema/registry.ts'
import type { ApiRequest } from '../request.ts'

const META_PACKAGE = 'io.k8s.apimachinery.pkg.apis.meta.v1'

export type BodyConverter = (request: ApiRequest) => ApiRequest

export function createBodyConverter(kinds: readonly KindDefinition[]): BodyConverter {
  const packages = new Map(
    kinds.map(({ group, version, schema }) => [
      group === '' ? version : `${group}/${version}`,
      schema.slice(0, schema.lastIndexOf('.')),
    ]),
  )
  // Kinds of subresources live in groups of which nothing else may be served.
  packages.set('autoscaling/v1', 'io.k8s.api.autoscaling.v1')
  packages.set('authentication.k8s.io/v1', 'io.k8s.api.authentication.v1')
  const typeOf = (apiVersion: string, kind: string): string | null => {
    const candidates = [`${packages.get(apiVersion)}.${kind}`, `${META_PACKAGE}.${kind}`]
    return candidates.find((name) => hasSchema(name)) ?? null
  }
  return (request) => {
    const { body } = request
    if (body.form !== 'bytes' || !body.contentType.startsWith(PROTOBUF_MEDIA_TYPE)) return request
    return {
      ...request,
      body: { form: 'bytes', bytes: protobufToJson(body.bytes, typeOf), contentType: 'application/json' },
    }
  }
}
