/** Chooses the encoding of an answer from the Accept header, by upstream's rules and in its words. */
import type { FeatureGates } from '#base/feature-gates.ts'
import { StatusError } from '#machinery/status-error.ts'
import { parseAccept, type AcceptClause } from './accept-header.ts'

export const JSON_TYPE = 'application/json'
export const YAML_TYPE = 'application/yaml'
export const PROTOBUF = 'application/vnd.kubernetes.protobuf'
export const CBOR = 'application/cbor'
export const CBOR_SEQUENCE = 'application/cbor-seq'

export type MediaType = typeof JSON_TYPE | typeof YAML_TYPE | typeof PROTOBUF | typeof CBOR

/** What upstream's refusals list, in the order in which wildcards choose. */
export const MEDIA_TYPES: readonly MediaType[] = [JSON_TYPE, YAML_TYPE, PROTOBUF]
/** With the feature gate CBORServingAndStorage. */
export const MEDIA_TYPES_WITH_CBOR: readonly MediaType[] = [...MEDIA_TYPES, CBOR]

export const mediaTypesOf = (features: FeatureGates): readonly MediaType[] =>
  features.isEnabled('CBORServingAndStorage') ? MEDIA_TYPES_WITH_CBOR : MEDIA_TYPES

/** The encodings that streams of events have. */
export function streamTypesOf(types: readonly MediaType[]): string[] {
  return types.flatMap((type) => (type === YAML_TYPE ? [] : [type === CBOR ? CBOR_SEQUENCE : `${type};stream=watch`]))
}

/** The kind that a client wants an answer turned into. */
export type FormKind = { readonly kind: string; readonly group: string; readonly version: string }

export type Encoding = {
  readonly mediaType: MediaType
  /** Asked for by a parameter of the media type. */
  readonly pretty: boolean
  /** Null: the object as it is. */
  readonly form: FormKind | null
}

/** What an endpoint can do beside writing its objects as they are. */
export type Restrictions = {
  readonly allowsForm: (mediaType: MediaType, form: FormKind | null) => boolean
  readonly serverVersion: string
}

/** Errors and documents have one form. */
export const PLAIN: Restrictions = { allowsForm: (_mediaType, form) => form === null, serverVersion: '' }

export const META_GROUP = 'meta.k8s.io'
export type FormName = 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList'

/** Tables are no messages of protobuf, and have no form in CBOR. */
export const RESOURCE: Restrictions = {
  serverVersion: 'v1',
  allowsForm: (mediaType, form) => {
    if (form === null) return true
    if (form.group !== META_GROUP || (form.version !== 'v1' && form.version !== 'v1beta1')) return false
    if (form.kind === 'Table') return mediaType === JSON_TYPE || mediaType === YAML_TYPE
    return form.kind === 'PartialObjectMetadata' || form.kind === 'PartialObjectMetadataList'
  },
}

/** The encoding to write; null when the client accepts none that there is. */
export function negotiate(
  header: string | undefined,
  supported: readonly MediaType[],
  restrictions: Restrictions,
): Encoding | null {
  if (header === undefined || header === '') return { mediaType: supported[0]!, pretty: false, form: null }
  for (const clause of parseAccept(header))
    for (const mediaType of supported) {
      const encoding = includes(clause, mediaType) ? encodingOf(clause, mediaType, restrictions) : null
      if (encoding !== null) return encoding
    }
  return null
}

function includes({ type, subtype }: AcceptClause, mediaType: MediaType): boolean {
  if (type === '*') return subtype === '*'
  return type === 'application' && (subtype === '*' || `application/${subtype}` === mediaType)
}

function encodingOf({ parameters }: AcceptClause, mediaType: MediaType, restrictions: Restrictions): Encoding | null {
  const { as, g, v, stream = '', sv = '', pretty } = parameters
  const isForm = as !== undefined || g !== undefined || v !== undefined
  const form = isForm ? { kind: as ?? '', group: g ?? '', version: v ?? '' } : null
  if (stream !== '' && (stream !== 'watch' || mediaType === YAML_TYPE)) return null
  if (sv !== '' && sv !== restrictions.serverVersion) return null
  return restrictions.allowsForm(mediaType, form) ? { mediaType, pretty: pretty === '1', form } : null
}

/** A route that is there, but not in any of these representations: the refusal of upstream's router. */
export function notAcceptable(available: readonly string[]): StatusError {
  return new StatusError({
    code: 406,
    reason: 'NotAcceptable',
    message: `406: Not Acceptable\n\nAvailable representations: ${available.join(', ')}`,
    details: {},
  })
}

/** The refusal behind the router, of parameters that the encodings do not have. */
export function noSuchForm(accepted: readonly string[]): StatusError {
  return new StatusError({
    code: 406,
    reason: 'NotAcceptable',
    message: `only the following media types are accepted: ${accepted.join(', ')}`,
  })
}

/** Browsers and download tools get indented JSON without asking. */
export function wantsPretty(query: URLSearchParams, userAgent: string | undefined): boolean {
  const asked = query.get('pretty')
  if (asked !== null && asked !== '') return ['1', 't', 'T', 'TRUE', 'true', 'True'].includes(asked)
  return /^(curl|Wget|Mozilla\/5\.0)/.test(userAgent ?? '')
}
