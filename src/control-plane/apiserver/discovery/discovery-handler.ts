/** Answers `/api`, `/apis` and what lies below them up to the group version: which groups, versions and resources are served. */
import { createHash } from 'node:crypto'
import type { KindDefinition } from '#api/kind.ts'
import type { ApiRequest, ApiResponse, Handler } from '../request.ts'
import { groupKinds, type ApiGroup } from './api-groups.ts'
import { AGGREGATED_TYPE, prefersAggregated } from './accept.ts'
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
}

/** The documents are built once for a list of kinds: a new list needs a new handler. */
export function discoveryHandler(kinds: readonly KindDefinition[], options: DiscoveryOptions = {}): PathHandler {
  const groups = groupKinds(kinds)
  const documents = buildDocuments(groups, options.serverAddress ?? '')
  const aggregated = buildAggregatedDocuments(groups)
  const handle = async (request: ApiRequest): Promise<ApiResponse> => {
    const path = trimSlash(request.path)
    const list = aggregated.get(path)
    if (list !== undefined && prefersAggregated(request.headers['accept'])) return answerAggregated(list, request)
    const document = documents.get(path)
    if (document === undefined) return notFoundPage()
    return {
      code: 200,
      headers: list === undefined ? {} : { vary: 'Accept' },
      body: { form: 'object', object: document },
    }
  }
  return Object.assign(handle, { matches: (path: string) => documents.has(trimSlash(path)) })
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

type AggregatedDocument = { readonly content: Buffer; readonly etag: string }

function buildAggregatedDocuments(groups: readonly ApiGroup[]): Map<string, AggregatedDocument> {
  const render = (part: readonly ApiGroup[]): AggregatedDocument => {
    const content = Buffer.from(JSON.stringify(buildAggregatedList(part)))
    return { content, etag: `"${createHash('sha512').update(content).digest('hex').toUpperCase()}"` }
  }
  return new Map([
    ['/api', render(groups.filter(({ name }) => name === ''))],
    ['/apis', render(groups.filter(({ name }) => name !== ''))],
  ])
}

function answerAggregated({ content, etag }: AggregatedDocument, request: ApiRequest): ApiResponse {
  const headers = { etag, vary: 'Accept', 'cache-control': 'public' }
  if (request.headers['if-none-match'] === etag)
    return { code: 304, headers, body: { form: 'raw', contentType: AGGREGATED_TYPE, content: '' } }
  return { code: 200, headers, body: { form: 'raw', contentType: AGGREGATED_TYPE, content } }
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
