/** Puts the objects that clients send into the audit record of their requests. */
import type { KindDefinition } from '#api/kind.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import type { ApiRequest } from '../request.ts'
import type { BodyDecoder } from './body.ts'

export function auditedDecoder(decode: BodyDecoder): BodyDecoder {
  return (request, kind, fieldValidation) => {
    const object = decode(request, kind, fieldValidation)
    request.audit?.recordObject(kind, object)
    return object
  }
}

/** The object with its defaults, as upstream records it; the namespace only where the client wrote it. */
export function recordDefaulted(
  request: ApiRequest,
  kind: KindDefinition,
  object: KubernetesObject,
  sentNamespace: string | undefined,
): void {
  const { namespace: _namespace, ...metadata } = object.metadata
  request.audit?.recordObject(kind, {
    ...object,
    metadata: sentNamespace === undefined ? metadata : { ...metadata, namespace: sentNamespace },
  } as KubernetesObject)
}
