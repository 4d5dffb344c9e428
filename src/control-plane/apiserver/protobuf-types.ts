/** Which protobuf message the objects of a kind are, for bodies and answers. */
import { formatApiVersion, type KindDefinition } from '#api/kind.ts'
import { hasSchema, typeDataOf } from '#machinery/schema/registry.ts'

/** The full name of the type; null for kinds that are not known, or that have no message (Table). */
export type ProtobufTypes = (apiVersion: string, kind: string) => string | null

const META_PACKAGE = 'io.k8s.apimachinery.pkg.apis.meta.v1'

export function protobufTypesOf(kinds: readonly KindDefinition[]): ProtobufTypes {
  const packages = new Map(
    kinds.map((kind) => [formatApiVersion(kind), kind.schema.slice(0, kind.schema.lastIndexOf('.'))]),
  )
  // Kinds of subresources live in groups of which nothing else may be served.
  packages.set('autoscaling/v1', 'io.k8s.api.autoscaling.v1')
  packages.set('authentication.k8s.io/v1', 'io.k8s.api.authentication.v1')
  packages.set('apidiscovery.k8s.io/v2', 'io.k8s.api.apidiscovery.v2')
  return (apiVersion, kind) => {
    const candidates = [`${packages.get(apiVersion)}.${kind}`, `${META_PACKAGE}.${kind}`]
    return candidates.find((name) => hasSchema(name) && hasMessage(name)) ?? null
  }
}

function hasMessage(typeName: string): boolean {
  return (typeDataOf(typeName).data.fields ?? []).some(([, , , proto]) => proto !== undefined)
}
