/** Answers `/openapi/v2` and `/openapi/v3`: what kubectl validates against and explains. Built when first asked for. */
import { createHash } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import '#api/schemas.ts'
import type { KindDefinition } from '#api/kind.ts'
import { notFound } from '#machinery/status-error.ts'
import { groupKinds, type ApiGroup, type ApiVersion } from '../discovery/api-groups.ts'
import type { PathHandler } from '../discovery/discovery-handler.ts'
import type { ApiRequest, ApiResponse } from '../request.ts'
import { encodeOpenApi2, OPENAPI_2_PROTOBUF_TYPE } from './encode-v2-protobuf.ts'
import { capitalize, groupWord, operationsOf, plainGet, type Operation, type SchemaFinder } from './operations.ts'
import { renderOpenApi2 } from './render-v2.ts'
import { renderOpenApi3 } from './render-v3.ts'
import { indexKinds } from './schemas.ts'

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1'
const JSON_TYPE = 'application/json'
const YEAR_SECONDS = 365 * 24 * 3600

export type OpenApiOptions = {
  /** Version of the API for `info`: `v1.37.2`. */
  readonly release?: string
}

/** A part of the API with a document of its own: `api/v1`, `apis/apps`, `version`. */
type Section = { readonly path: string; readonly version: ApiVersion | null; readonly operations: readonly Operation[] }

type Rendered = { readonly content: Buffer; readonly etag: string }

/** The documents describe this list of kinds: a new list needs a new handler. */
export function openApiHandler(kinds: readonly KindDefinition[], options: OpenApiOptions = {}): PathHandler {
  const documents = new OpenApiDocuments(kinds, options.release ?? 'v1.37.2')
  const handle = async (request: ApiRequest): Promise<ApiResponse> => {
    const path = request.path.replace(/\/$/, '')
    if (path === '/openapi/v2') return answerV2(documents, request)
    if (path === '/openapi/v3') return answer(await documents.index(), request, JSON_TYPE)
    if (path.startsWith('/openapi/v3/')) return answerSection(documents, request, path.slice('/openapi/v3/'.length))
    throw notFound({ group: '', resource: 'openapi' }, path)
  }
  return Object.assign(handle, {
    matches: (path: string) => /^\/openapi\/(?:v2\/?$|v3(?:\/|$))/.test(path),
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

  constructor(kinds: readonly KindDefinition[], release: string) {
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
    const section = this.sections.get(path)
    if (section === undefined) return null
    const rendered = renderJson(renderOpenApi3(section.operations, section.version, this.#release))
    this.#rendered.set(path, rendered)
    return rendered
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

function answerV2(documents: OpenApiDocuments, request: ApiRequest): ApiResponse {
  const form = negotiateV2(request.headers['accept'])
  if (form === null) return notAcceptable()
  return form === 'json'
    ? answer(documents.v2(), request, JSON_TYPE)
    : answer(documents.v2Protobuf(), request, OPENAPI_2_PROTOBUF_TYPE)
}

/** The first form of the Accept header that there is. The `@` in the older name of the protobuf type is no valid character. */
function negotiateV2(accept: string | undefined): 'json' | 'protobuf' | null {
  if (accept === undefined || accept.trim() === '') return 'json'
  for (const part of accept.split(',')) {
    const type = part.split(';')[0]!.trim()
    if (type === JSON_TYPE || type === '*/*' || type === 'application/*') return 'json'
    if (/^application\/com\.github\.proto-openapi\.spec\.v2[.@]v1\.0\+protobuf$/.test(type)) return 'protobuf'
  }
  return null
}

function notAcceptable(): ApiResponse {
  return { code: 406, body: { form: 'raw', contentType: 'text/plain; charset=utf-8', content: '' } }
}

function answerSection(documents: OpenApiDocuments, request: ApiRequest, path: string): ApiResponse {
  const document = documents.section(path)
  if (document === null)
    return {
      code: 404,
      body: { form: 'raw', contentType: 'text/plain; charset=utf-8', content: '404 page not found\n' },
    }
  const hash = request.query.get('hash')
  if (hash === null || hash === '') return answer(document, request, JSON_TYPE)
  if (hash !== document.etag)
    return {
      code: 301,
      headers: { location: addressOf(path, document) },
      body: { form: 'raw', contentType: 'text/plain; charset=utf-8', content: '' },
    }
  // The address names the content, so that it may be kept for as long as anyone likes.
  return answer(document, request, JSON_TYPE, { 'cache-control': `public, immutable, max-age=${YEAR_SECONDS}` })
}

function answer(
  { content, etag }: Rendered,
  request: ApiRequest,
  contentType: string,
  extra: Readonly<Record<string, string>> = {},
): ApiResponse {
  const headers = { etag: `"${etag}"`, vary: 'Accept', ...extra }
  if (request.headers['if-none-match'] === `"${etag}"`)
    return { code: 304, headers, body: { form: 'raw', contentType, content: '' } }
  return { code: 200, headers, body: { form: 'raw', contentType, content } }
}
