/** Answers `/openapi/v2` and `/openapi/v3`: what kubectl validates against and explains. Built when first asked for. */
import { createHash } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import '#api/schemas.ts'
import type { KindDefinition } from '#api/kind.ts'
import type { Clock } from '#base/clock.ts'
import { groupKinds, type ApiGroup, type ApiVersion } from '../discovery/api-groups.ts'
import type { PathHandler } from '../discovery/discovery-handler.ts'
import { parseAccept } from '../http/accept-header.ts'
import { compressAnswer, serveContent } from '../http/static-content.ts'
import type { ApiRequest, ApiResponse } from '../request.ts'
import { pageNotFound } from '../routes.ts'
import { encodeOpenApi2, OPENAPI_2_PROTOBUF_TYPE } from './encode-v2-protobuf.ts'
import { encodeOpenApi3, OPENAPI_3_PROTOBUF_TYPE } from './encode-v3-protobuf.ts'
import { capitalize, groupWord, operationsOf, plainGet, type Operation, type SchemaFinder } from './operations.ts'
import { renderOpenApi2 } from './render-v2.ts'
import { renderOpenApi3 } from './render-v3.ts'
import { indexKinds } from './schemas.ts'

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1'
const JSON_TYPE = 'application/json'
const TEXT_TYPE = 'text/plain; charset=utf-8'
const YEAR_MS = 365 * 24 * 3600 * 1000

export type OpenApiOptions = {
  /** Version of the API for `info`: `1.37`. */
  readonly release?: string
  readonly clock: Pick<Clock, 'now'>
}

/** A part of the API with a document of its own: `api/v1`, `apis/apps`, `version`. */
type Section = { readonly path: string; readonly version: ApiVersion | null; readonly operations: readonly Operation[] }

type Rendered = { readonly content: Buffer; readonly etag: string }

/** The documents describe this list of kinds: a new list needs a new handler. */
export function openApiHandler(kinds: readonly KindDefinition[], options: OpenApiOptions): PathHandler {
  const { clock } = options
  const documents = new OpenApiDocuments(kinds, options.release ?? '1.37', clock.now())
  const handle = async (request: ApiRequest): Promise<ApiResponse> => {
    const { path } = request
    if (path === '/openapi/v2') return answerV2(documents, request)
    // Its type is what a file server takes it for.
    if (path === '/openapi/v3') return answer(documents, request, { ...(await documents.index()), etag: '' }, TEXT_TYPE)
    if (path.startsWith('/openapi/v3/')) return answerSection(documents, request, clock.now())
    return pageNotFound()
  }
  return Object.assign(handle, {
    matches: (path: string) => /^\/openapi\/(?:v2$|v3(?:\/|$))/.test(path),
  })
}

class OpenApiDocuments {
  readonly #groups: readonly ApiGroup[]
  readonly #release: string
  readonly #rendered = new Map<string, Rendered>()
  #sections: ReadonlyMap<string, Section> | undefined
  #index: Promise<Rendered> | undefined
  #v2: Rendered | undefined
  #v2Protobuf: Rendered | undefined
  readonly #renderedProtobuf = new Map<string, Rendered>()
  /** When the documents came to be what they are: the start. */
  readonly modifiedMs: number

  constructor(kinds: readonly KindDefinition[], release: string, modifiedMs: number) {
    this.modifiedMs = modifiedMs
    this.#groups = groupKinds(kinds)
    this.#release = release
  }

  get sections(): ReadonlyMap<string, Section> {
    this.#sections ??= new Map(listSections(this.#groups).map((section) => [section.path, section]))
    return this.#sections
  }

  section(path: string): Rendered | null {
    const known = this.#rendered.get(path)
    if (known !== undefined) return known
    const document = this.#buildSection(path)
    if (document === null) return null
    const rendered = renderJson(document)
    this.#rendered.set(path, rendered)
    return rendered
  }

  /** The same document in protobuf, under the same tag. */
  sectionProtobuf(path: string): Rendered | null {
    const known = this.#renderedProtobuf.get(path)
    if (known !== undefined) return known
    const document = this.#buildSection(path)
    if (document === null) return null
    const rendered = { content: encodeOpenApi3(document), etag: this.section(path)!.etag }
    this.#renderedProtobuf.set(path, rendered)
    return rendered
  }

  #buildSection(path: string): Record<string, unknown> | null {
    const section = this.sections.get(path)
    return section === undefined ? null : renderOpenApi3(section.operations, section.version, this.#release)
  }

  /** The list of all sections, each with an address that changes with its content. */
  index(): Promise<Rendered> {
    this.#index ??= this.#buildIndex()
    return this.#index
  }

  async #buildIndex(): Promise<Rendered> {
    const paths: Record<string, { serverRelativeURL: string }> = {}
    for (const path of [...this.sections.keys()].toSorted()) {
      paths[path] = { serverRelativeURL: addressOf(path, this.section(path)!) }
      await nextTurn() // Each document takes some milliseconds, and other requests wait.
    }
    return renderJson({ paths })
  }

  v2(): Rendered {
    this.#v2 ??= renderJson(this.#buildV2())
    return this.#v2
  }

  v2Protobuf(): Rendered {
    this.#v2Protobuf ??= { content: encodeOpenApi2(this.#buildV2()), etag: this.v2().etag }
    return this.#v2Protobuf
  }

  #buildV2(): Record<string, unknown> {
    const operations = [...this.sections.values()].flatMap((section) => section.operations)
    return renderOpenApi2(operations, this.#release)
  }
}

function renderJson(document: Record<string, unknown>): Rendered {
  const content = Buffer.from(JSON.stringify(document))
  return { content, etag: createHash('sha512').update(content).digest('hex').toUpperCase() }
}

const addressOf = (path: string, { etag }: Rendered): string => `/openapi/v3/${path}?hash=${etag}`

function listSections(groups: readonly ApiGroup[]): Section[] {
  const index = indexKinds()
  const schemaOfKind: SchemaFinder = ({ group, version, kind }) => {
    const name = index.get(`${group}/${version}/${kind}`)
    if (name === undefined) throw new Error(`No schema of the kind ${kind} in ${group}/${version}`)
    return name
  }
  const sections: Section[] = [...AROUND]
  for (const group of groups) {
    if (group.name !== '') sections.push(groupSection(group.name))
    for (const version of group.versions) {
      const path = `${group.name === '' ? 'api' : 'apis'}/${version.groupVersion}`
      sections.push({ path, version, operations: operationsOf(version, schemaOfKind) })
    }
  }
  return sections
}

function groupSection(group: string): Section {
  const word = groupWord(group)
  const operation = {
    ...plainGet(`/apis/${group}/`, `get${capitalize(word)}APIGroup`, word),
    answer: `${META}.APIGroup`,
  }
  return { path: `apis/${group}`, version: null, operations: [operation] }
}

/** Documents of paths that no kind brings. */
const AROUND: readonly Section[] = [
  {
    path: 'api',
    version: null,
    operations: [{ ...plainGet('/api/', 'getCoreAPIVersions', 'core'), answer: `${META}.APIVersions` }],
  },
  {
    path: 'apis',
    version: null,
    operations: [{ ...plainGet('/apis/', 'getAPIVersions', 'apis'), answer: `${META}.APIGroupList` }],
  },
  {
    path: 'version',
    version: null,
    operations: [
      {
        ...plainGet('/version/', 'getCodeVersion', 'version'),
        produces: 'json',
        answer: 'io.k8s.apimachinery.pkg.version.Info',
      },
    ],
  },
  {
    path: '.well-known/openid-configuration',
    version: null,
    operations: [
      {
        ...plainGet('/.well-known/openid-configuration/', 'getServiceAccountIssuerOpenIDConfiguration', 'WellKnown'),
        produces: 'json',
      },
    ],
  },
  {
    path: 'openid/v1/jwks',
    version: null,
    operations: [
      { ...plainGet('/openid/v1/jwks/', 'getServiceAccountIssuerOpenIDKeyset', 'openid'), produces: 'jwks' },
    ],
  },
]

/** The first form of the Accept header that there is; null for a header that names none, undefined for one without any clause. */
function chooseForm(accept: string | undefined, version: 'v2' | 'v3'): 'json' | 'protobuf' | null | undefined {
  const clauses = parseAccept(accept || '*/*')
  if (clauses.length === 0) return undefined
  for (const { type, subtype } of clauses) {
    if (type !== 'application' && type !== '*') continue
    if (subtype === 'json' || subtype === '*') return 'json'
    // The `@` of the older name is no character of a media type.
    const names = ['.', '@'].map((sign) => `com.github.proto-openapi.spec.${version}${sign}v1.0+protobuf`)
    if (names.includes(subtype)) return 'protobuf'
  }
  return null
}

async function answerV2(documents: OpenApiDocuments, request: ApiRequest): Promise<ApiResponse> {
  const headers = { Vary: 'Accept-Encoding, Accept' }
  const form = chooseForm(request.headers['accept'], 'v2')
  if (form == null) return empty(406, headers)
  const response =
    form === 'json'
      ? answer(documents, request, documents.v2(), JSON_TYPE, headers)
      : answer(documents, request, documents.v2Protobuf(), OPENAPI_2_PROTOBUF_TYPE, headers)
  return compressAnswer(response, request.headers['accept-encoding'])
}

const empty = (code: number, headers: Readonly<Record<string, string>>): ApiResponse => ({
  code,
  headers,
  body: { form: 'raw', contentType: '', content: '' },
})

function answerSection(documents: OpenApiDocuments, request: ApiRequest, nowMs: number): ApiResponse {
  const path = request.path.slice('/openapi/v3/'.length)
  if (!documents.sections.has(path)) return empty(404, {})
  const headers = { Vary: 'Accept' }
  const form = chooseForm(request.headers['accept'], 'v3')
  if (form === undefined) return empty(200, headers)
  if (form === null) return empty(406, headers)
  const document = form === 'json' ? documents.section(path)! : documents.sectionProtobuf(path)!
  const contentType = form === 'json' ? JSON_TYPE : OPENAPI_3_PROTOBUF_TYPE
  const hash = request.query.get('hash') ?? ''
  if (hash === '') return answer(documents, request, document, contentType, headers)
  if (hash !== document.etag)
    return {
      code: 301,
      headers: { ...headers, ETag: `"${document.etag}"`, Location: addressOf(path, document) },
      body: { form: 'raw', contentType, content: '' },
    }
  // The address names the content, so that it may be kept for as long as anyone likes.
  const forever = { 'Cache-Control': 'public, immutable', Expires: new Date(nowMs + YEAR_MS).toUTCString() }
  return answer(documents, request, document, contentType, { ...headers, ...forever })
}

function answer(
  { modifiedMs }: OpenApiDocuments,
  request: ApiRequest,
  { content, etag }: Rendered,
  contentType: string,
  headers: Readonly<Record<string, string>> = {},
): ApiResponse {
  return serveContent(request, { content, etag, modifiedMs, contentType, headers })
}
