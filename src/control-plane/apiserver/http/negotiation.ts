/** Chooses the encoding of an answer from the Accept header, and refuses in upstream's words. */
import { StatusError } from '#machinery/status-error.ts'

export const PROTOBUF = 'application/vnd.kubernetes.protobuf'

export type MediaType = 'application/json' | 'application/yaml' | typeof PROTOBUF

/** What upstream's refusals list. */
export const MEDIA_TYPES = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'] as const

export type AcceptClause = {
  /** `type/subtype`, lower-case. */
  readonly type: string
  readonly parameters: Readonly<Record<string, string>>
  readonly quality: number
}

/** The clauses of an Accept header, best first; none for a missing header. */
export function parseAccept(header: string | undefined): AcceptClause[] {
  if (header === undefined || header.trim() === '') return []
  const clauses = header.split(',').flatMap((text): AcceptClause[] => {
    const [type, ...rest] = text.split(';').map((part) => part.trim())
    if (type === undefined || type === '') return []
    const parameters: Record<string, string> = {}
    for (const part of rest) {
      const equals = part.indexOf('=')
      if (equals > 0) parameters[part.slice(0, equals).trim().toLowerCase()] = unquote(part.slice(equals + 1).trim())
    }
    const { q, ...others } = parameters
    const quality = q === undefined ? 1 : Number(q)
    return [{ type: type.toLowerCase(), parameters: others, quality: Number.isNaN(quality) ? 1 : quality }]
  })
  return clauses.toSorted((a, b) => b.quality - a.quality || specificity(b.type) - specificity(a.type))
}

const unquote = (text: string): string => (/^".*"$/.test(text) ? text.slice(1, -1) : text)

const specificity = (type: string): number => (type === '*/*' ? 0 : type.endsWith('/*') ? 1 : 2)

/**
 * The encoding to write; null when the client accepts none that there is. Clauses that ask for another form are meant for the answer of
 * a resource: they do not say how an error or a document is written.
 */
export function negotiateMediaType(header: string | undefined, { hasForms }: { hasForms: boolean }): MediaType | null {
  const clauses = parseAccept(header)
  if (clauses.length === 0) return 'application/json'
  for (const clause of clauses) {
    const { type, parameters } = clause
    if (parameters['as'] !== undefined && !(hasForms && isOfferedForm(clause))) continue
    if (type === 'application/json' || type === '*/*' || type === 'application/*') return 'application/json'
    if (type === 'application/yaml' || type === PROTOBUF) return type
  }
  return null
}

export type FormName = 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList'

export const META_GROUP = 'meta.k8s.io'
const FORMS: ReadonlySet<string> = new Set<FormName>(['Table', 'PartialObjectMetadata', 'PartialObjectMetadataList'])

/** Whether resources can be answered in the form that a clause asks for. Tables are no messages of protobuf. */
export function isOfferedForm({ type, parameters: { as = '', g, v } }: AcceptClause): boolean {
  if (!FORMS.has(as) || (as === 'Table' && type === PROTOBUF)) return false
  return g === META_GROUP && (v === 'v1' || v === 'v1beta1')
}

/** The refusal of a route that has no such representation at all. */
export function notAcceptable(available: readonly string[]): StatusError {
  return new StatusError({
    code: 406,
    reason: 'NotAcceptable',
    message: `406: Not Acceptable\n\nAvailable representations: ${available.join(', ')}`,
    details: {},
  })
}

/** Browsers and download tools get indented JSON without asking. */
export function wantsPretty(query: URLSearchParams, userAgent: string | undefined): boolean {
  const asked = query.get('pretty')
  if (asked !== null && asked !== '') return ['1', 't', 'T', 'TRUE', 'true', 'True'].includes(asked)
  return /^(curl|Wget|Mozilla\/5\.0)/.test(userAgent ?? '')
}

export function acceptsGzip(header: string | undefined): boolean {
  return parseAccept(header).some(({ type, quality }) => type === 'gzip' && quality > 0)
}
