/** Answers a page for people (/statusz, /flagz): as text, or as a versioned object where the client asks for it. */
import { parseAccept, type AcceptClause } from '../http/accept-header.ts'
import { JSON_TYPE, noSuchForm, wantsPretty, YAML_TYPE } from '../http/negotiation.ts'
import { writeYaml } from '../http/yaml-writer.ts'
import type { ApiRequest, ApiResponse } from '../request.ts'

export type Page = {
  readonly kind: 'Statusz' | 'Flagz'
  readonly text: string
  /** What follows apiVersion, kind and metadata. */
  readonly fields: Readonly<Record<string, unknown>>
}

/** How all components of this kind call themselves in these pages. */
export const PAGE_COMPONENT = 'apiserver'
export const PAGE_WARNING =
  'Warning: This endpoint is not meant to be machine parseable, has no formatting compatibility guarantees and is for debugging purposes only.'

const TEXT_TYPE = 'text/plain'
const GROUP = 'config.k8s.io'
const VERSIONS = ['v1beta1', 'v1alpha1']
const OLD_VERSION = 'v1alpha1'
const ENCODINGS: readonly string[] = [JSON_TYPE, YAML_TYPE]

export function answerPage(request: ApiRequest, page: Page): ApiResponse {
  const accept = request.headers['accept'] ?? ''
  if (accept === '') return textAnswer(page)
  for (const clause of parseAccept(accept)) {
    const mediaType = `${clause.type}/${clause.subtype}`
    if (mediaType === TEXT_TYPE || mediaType === '*/*') return textAnswer(page)
    if (ENCODINGS.includes(mediaType) && asksFor(clause, page.kind))
      return objectAnswer(request, page, mediaType, clause.parameters['v']!)
  }
  throw noSuchForm([...ENCODINGS, TEXT_TYPE])
}

const asksFor = ({ parameters: { as, g, v = '' } }: AcceptClause, kind: string): boolean =>
  as === kind && g === GROUP && VERSIONS.includes(v)

const textAnswer = ({ text }: Page): ApiResponse => ({
  code: 200,
  body: { form: 'raw', contentType: 'text/plain; charset=utf-8', content: text },
})

function objectAnswer(request: ApiRequest, { kind, fields }: Page, mediaType: string, version: string): ApiResponse {
  if (version === OLD_VERSION)
    request.warnings.add(
      `This version of the ${kind.toLowerCase()} endpoint is deprecated. Please use a newer version.`,
    )
  const object = { kind, apiVersion: `${GROUP}/${version}`, metadata: { name: PAGE_COMPONENT }, ...fields }
  const contentType = `${mediaType};g=${GROUP};v=${version};as=${kind}`
  return { code: 200, body: { form: 'raw', contentType, content: encode(request, mediaType, object) } }
}

function encode({ query, headers }: ApiRequest, type: string, object: unknown): string {
  if (type === YAML_TYPE) return writeYaml(object)
  return wantsPretty(query, headers['user-agent']) ? JSON.stringify(object, null, 2) : `${JSON.stringify(object)}\n`
}
