/** Answers `/api`, `/apis` and what lies below them up to the group version: which groups, versions and resources are served. */
import { createHash } from 'node:crypto'
import type { KindDefinition } from '#api/kind.ts'
import type { ApiRequest, ApiResponse, Handler } from '../request.ts'
import { groupKinds, type ApiGroup } from './api-groups.ts'
import { MEDIA_TYPES, negotiate, type Encoding, type MediaType } from '../http/negotiation.ts'
import { checkRouteMedia } from '../http/route-media.ts'
import { methodNotAllowed } from '../routes.ts'
import { AGGREGATED } from './accept.ts'
import { registerAggregatedSchema } from './aggregated-schema.ts'
import {
  buildAggregatedList,
  buildApiGroup,
  buildApiGroupList,
  buildApiResourceList,
  buildApiVersions,
} from './documents.ts'

/** A handler that owns some paths and says which. */
export type PathHandler = Handler & {
  /** True for the paths that this handler answers; the others are not its business. */
  matches(path: string): boolean
}

export type DiscoveryOptions = {
  /** Address of this server as clients reach it, `10.0.0.1:6443`. */
  readonly serverAddress?: string
  /** The encodings of answers; missing: those without a feature gate. */
  readonly mediaTypes?: readonly MediaType[]
}

/** The documents are built once for a list of kinds: a new list needs a new handler. */
export function discoveryHandler(kinds: readonly KindDefinition[], options: DiscoveryOptions = {}): PathHandler {
  registerAggregatedSchema()
  const { mediaTypes = MEDIA_TYPES } = options
  const groups = groupKinds(kinds)
  const documents = buildDocuments(groups, options.serverAddress ?? '')
  const aggregated = buildAggregatedDocuments(groups)
  const handle = async (request: ApiRequest): Promise<ApiResponse> => {
    const path = trimSlash(request.path)
    const document = documents.get(path)
    if (document === undefined) return notFoundPage()
    if (isRouted(path)) checkRoute(request, mediaTypes)
    const encoding = negotiate(request.headers['accept'], mediaTypes, AGGREGATED)
    if (encoding !== null && encoding.form !== null && request.path !== '/apis/') {
      const list = aggregated.get(path)
      if (list !== undefined) return answerAggregated(list, request, encoding)
    }
    return { code: 200, body: { form: 'object', object: document } }
  }
  return Object.assign(handle, { matches: (path: string) => documents.has(trimSlash(path)) })
}

/** The listings of groups and of each group are answered by another part of upstream, which asks for no method and no types. */
const isRouted = (path: string): boolean => path.startsWith('/api/') || path === '/api' || path.split('/').length === 4

function checkRoute(request: ApiRequest, mediaTypes: readonly MediaType[]): void {
  if (request.method !== 'GET') throw methodNotAllowed()
  checkRouteMedia(request, { produces: mediaTypes, consumes: mediaTypes })
}

const trimSlash = (path: string): string => (path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path)

function buildDocuments(groups: readonly ApiGroup[], serverAddress: string): Map<string, Record<string, unknown>> {
  const documents = new Map([
    ['/api', buildApiVersions(serverAddress)],
    ['/apis', buildApiGroupList(groups)],
  ])
  for (const group of groups) {
    if (group.name !== '') documents.set(`/apis/${group.name}`, buildApiGroup(group))
    for (const version of group.versions)
      documents.set(`${group.name === '' ? '/api' : '/apis'}/${version.groupVersion}`, buildApiResourceList(version))
  }
  return documents
}

type AggregatedDocument = { readonly list: Record<string, unknown>; readonly etag: string }

function buildAggregatedDocuments(groups: readonly ApiGroup[]): Map<string, AggregatedDocument> {
  const render = (part: readonly ApiGroup[]): AggregatedDocument => {
    const list = buildAggregatedList(part)
    return { list, etag: `"${createHash('sha512').update(JSON.stringify(list)).digest('hex').toUpperCase()}"` }
  }
  return new Map([
    ['/api', render(groups.filter(({ name }) => name === ''))],
    ['/apis', render(groups.filter(({ name }) => name !== ''))],
  ])
}

function answerAggregated(
  { list, etag }: AggregatedDocument,
  { headers }: ApiRequest,
  { mediaType }: Encoding,
): ApiResponse {
  const cached = { ETag: etag, Vary: 'Accept', 'Cache-Control': 'public' }
  if (headers['if-none-match'] === etag)
    return { code: 304, headers: cached, body: { form: 'raw', contentType: '', content: '' } }
  const contentType = `${mediaType};g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList`
  return { code: 200, headers: cached, body: { form: 'object', object: list, written: { mediaType, contentType } } }
}

function notFoundPage(): ApiResponse {
  return {
    code: 404,
    body: { form: 'raw', contentType: 'text/plain; charset=utf-8', content: '404 page not found\n' },
  }
}

/** The paths that `/` lists for discovery. */
export function discoveryPaths(kinds: readonly KindDefinition[]): string[] {
  return [...buildDocuments(groupKinds(kinds), '').keys(), '/apis/'].toSorted()
}
