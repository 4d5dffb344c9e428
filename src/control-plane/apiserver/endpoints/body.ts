/** The body of a request as an object of the kind that its path names. */
import { formatApiVersion, type KindDefinition } from '#api/kind.ts'
import { versionsOf } from '#api/kinds.ts'
import { decodeBody, type DecodeBodyOptions } from '#machinery/schema/decode-body.ts'
import { decodeValue, type FieldValidation } from '#machinery/schema/decode.ts'
import { hasSchema, schemaOf, typeDataOf } from '#machinery/schema/registry.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import { StatusError, badRequest } from '#machinery/status-error.ts'
import { protobufTypesOf } from '../protobuf-types.ts'
import { MEDIA_TYPES, type MediaType } from '../http/negotiation.ts'
import type { ApiRequest } from '../request.ts'
import { isCbor, readCborBody } from './cbor-body.ts'
import { isProtobuf, readProtobufBody } from './protobuf-body.ts'

/** A kind that a body may be of: the resource's own, or that of a subresource or of options. */
export type BodyKind = {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly schema: string
  /** Earlier versions of the same fields, which are accepted as well. */
  readonly earlierVersions?: readonly string[]
}

export type BodyDecoder = (request: ApiRequest, kind: BodyKind, fieldValidation: FieldValidation) => KubernetesObject

type Named = { readonly group: string; readonly version: string; readonly kind: string }

const idOf = (kind: Named): string => `${formatApiVersion(kind)}/${kind.kind}`

/** Bodies of other kinds are read before they are refused, so the decoder knows all kinds. */
export function createBodyDecoder(kinds: readonly KindDefinition[], mediaTypes = MEDIA_TYPES): BodyDecoder {
  const accepted = createAcceptance(kinds)
  const types = protobufTypesOf(kinds)
  return (request, kind, fieldValidation) => {
    const { body } = request
    if (body.form === 'object') return decodeValue<KubernetesObject>(schemaOf(kind.schema), body.object).object
    const sent = body.form === 'bytes' ? body.bytes : Buffer.alloc(0)
    const contentType = body.form === 'bytes' ? body.contentType : (request.headers['content-type'] ?? '')
    const [bytes, format] = isProtobuf(contentType)
      ? ([readProtobufBody(sent, kind.kind, types), 'json'] as const)
      : isCbor(contentType, mediaTypes)
        ? ([readCborBody(sent, kind.kind), 'json'] as const)
        : ([sent, formatOf(contentType, mediaTypes)] as const)
    const decoded = decodeBody(bytes, { format, expected: kind, ...accepted(kind), fieldValidation })
    checkVersion(kind, decoded.kind)
    for (const problem of decoded.problems) request.warnings.add(problem)
    return decoded.object as unknown as KubernetesObject
  }
}

type Acceptance = Pick<DecodeBodyOptions, 'schemaOf'> & Required<Pick<DecodeBodyOptions, 'accepts'>>

/** Which kinds a body may be of, and how it is read before it is refused. */
function createAcceptance(kinds: readonly KindDefinition[]): (kind: BodyKind) => Acceptance {
  const schemas = new Map(kinds.map((kind) => [idOf(kind), kind.schema]))
  const versions = new Map(kinds.map((kind) => [idOf(kind), versionsOf(kind)]))
  const packages = new Map(kinds.map((kind) => [formatApiVersion(kind), packageOf(kind.schema)]))
  return (kind) => {
    // Another version of the kind can be read, but does not belong here.
    const siblingOf = (other: Named): string | undefined =>
      other.kind === kind.kind ? versions.get(idOf(kind))?.get(formatApiVersion(other))?.schema : undefined
    return {
      schemaOf: (other) => {
        if (isExpected(kind, other)) return schemaOf(kind.schema)
        if (schemeOf(kind) !== schemeOf(other)) return null
        const name = siblingOf(other) ?? schemas.get(idOf(other)) ?? unservedType(other, packages)
        return name !== undefined && hasSchema(name) ? schemaOf(name) : null
      },
      accepts: (other) => isExpected(kind, other) || siblingOf(other) !== undefined,
    }
  }
}

/** Upstream's servers of extensions know no kinds but their own, and no other server knows theirs. */
const OWN_SCHEMES = new Set(['apiextensions.k8s.io', 'apiregistration.k8s.io'])
const schemeOf = ({ group }: Named): string => (OWN_SCHEMES.has(group) ? group : '')

const META_PACKAGE = 'io.k8s.apimachinery.pkg.apis.meta.v1'
const packageOf = (typeName: string): string => typeName.slice(0, typeName.lastIndexOf('.'))

/** Lists, options and the like: registered, though no resource is of such a kind. */
function unservedType(kind: Named, packages: ReadonlyMap<string, string>): string | undefined {
  const id = `${kind.group}/${kind.version}/${kind.kind}`
  return [packages.get(formatApiVersion(kind)), META_PACKAGE]
    .map((owner) => `${owner ?? ''}.${kind.kind}`)
    .find((name) => hasSchema(name) && typeDataOf(name).data.kinds?.includes(id) === true)
}

/** Refuses what a patch has made an object of another kind, in the words of the decoder. */
export type OtherKindCheck = (patched: unknown, kind: BodyKind) => void

export function createOtherKindCheck(kinds: readonly KindDefinition[]): OtherKindCheck {
  const accepted = createAcceptance(kinds)
  return (patched, kind) => {
    const bytes = Buffer.from(JSON.stringify(patched))
    decodeBody(bytes, { format: 'json', expected: kind, ...accepted(kind), isBare: true })
  }
}

function isExpected(kind: BodyKind, other: Named): boolean {
  if (other.group !== kind.group || other.kind !== kind.kind) return false
  return other.version === kind.version || (kind.earlierVersions?.includes(other.version) ?? false)
}

function checkVersion(kind: BodyKind, given: Named): void {
  if (isExpected(kind, given)) return
  throw badRequest(
    `the API version in the data (${formatApiVersion(given)}) does not match the expected API version (${formatApiVersion(kind)})`,
  )
}

/** JSON unless said; Go's mime parser decides what a content type is. */
function formatOf(contentType: string, mediaTypes: readonly MediaType[]): 'json' | 'yaml' {
  if (contentType === '') return 'json'
  const [first, ...parameters] = contentType.split(';').map((part) => part.trim())
  const type = first!.toLowerCase()
  const isReadable = parameters.every((parameter) => parameter === '' || /^[^\s=]+=./.test(parameter))
  if (isReadable && type === 'application/json') return 'json'
  if (isReadable && type === 'application/yaml') return 'yaml'
  throw unsupportedMediaType(mediaTypes)
}

export function unsupportedMediaType(supported: readonly string[]): StatusError {
  return new StatusError({
    code: 415,
    reason: 'UnsupportedMediaType',
    message: `the body of the request was in an unknown format - accepted media types include: ${supported.join(', ')}`,
  })
}

/** The body must agree with the path about namespace and name. */
export function checkPlace(object: KubernetesObject, kind: KindDefinition, request: ApiRequest): void {
  const { info } = request
  const { metadata } = object
  if (kind.namespaced) {
    if (!metadata.namespace) metadata.namespace = info.namespace
    else if (metadata.namespace !== info.namespace)
      throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
  } else delete metadata.namespace
}
