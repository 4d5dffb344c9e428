/** Reads from method, path and query what a request is about, by upstream's rules. */
import { parseFieldSelector } from '#machinery/selectors/field-selector.ts'
import { StatusError } from '#machinery/status-error.ts'
import { isPathSegmentName } from '#machinery/validation/names.ts'
import { PlainRefusal } from './plain-refusal.ts'
import type { RequestInfo } from './request.ts'

/** Words after a namespace's name that belong to the Namespace itself. */
const NAMESPACE_SUBRESOURCES = new Set(['status', 'finalize'])

const VERBS: Readonly<Record<string, string>> = {
  POST: 'create',
  GET: 'get',
  HEAD: 'get',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
}

/** Subresources whose answers last as long as the client likes. */
const LONG_SUBRESOURCES = new Set(['attach', 'exec', 'proxy', 'log', 'portforward'])

/** Profiles take as long as the client says. */
const PROFILES_PATH = '/debug/pprof/'

export function isLongRunning({ info, path }: { readonly info: RequestInfo; readonly path: string }): boolean {
  if (!info.isResourceRequest) return path.startsWith(PROFILES_PATH)
  return info.verb === 'watch' || LONG_SUBRESOURCES.has(info.subresource)
}

export function parseRequestInfo(method: string, path: string, query: URLSearchParams): RequestInfo {
  const segments = splitPath(path)
  const prefix = segments[0]
  const isCore = prefix === 'api'
  if (segments.length < 3 || (!isCore && prefix !== 'apis') || (!isCore && segments.length < 4))
    return nonResourceRequest(method)
  const [group, version, rest] = isCore
    ? ['', segments[1]!, segments.slice(2)]
    : [segments[1]!, segments[2]!, segments.slice(3)]
  const isOldWatch = rest[0] === 'watch'
  if (isOldWatch && rest.length < 2) throw unreadable(path, query)
  const { namespace, parts } = splitNamespace(isOldWatch ? rest.slice(1) : rest)
  const verb = isOldWatch ? 'watch' : (VERBS[method] ?? '')
  const name = parts[1] ?? ''
  return {
    isResourceRequest: true,
    group,
    version,
    namespace,
    resource: parts[0] ?? '',
    subresource: isOldWatch ? '' : (parts[2] ?? ''),
    parts,
    ...refineVerb(verb, name, query),
  }
}

function unreadable(path: string, query: URLSearchParams): PlainRefusal {
  const url = query.size === 0 ? path : `${path}?${query}`
  const why = `failed to create RequestInfo: unable to determine kind and namespace from url, ${url}`
  return new PlainRefusal(500, `Internal Server Error: ${JSON.stringify(url)}: ${why}\n`, 'text/plain; charset=utf-8')
}

/** A GET or DELETE without a name is about many objects. */
function refineVerb(verb: string, name: string, query: URLSearchParams): { verb: string; name: string } {
  if (name !== '') return { verb, name }
  if (verb === 'delete') return { verb: 'deletecollection', name }
  if (verb !== 'get') return { verb, name }
  return { verb: isTrue(query.get('watch')) ? 'watch' : 'list', name: selectedName(query) }
}

/** Go's reading of a flag in a query: present and neither `false` nor `0`. */
export function isTrue(value: string | null): boolean {
  return value !== null && !['false', '0'].includes(value.toLowerCase())
}

/** The one name that a field selector allows, so that rules with resourceNames cover such lists and watches. */
function selectedName(query: URLSearchParams): string {
  const text = query.get('fieldSelector') ?? ''
  if (!text.includes('metadata.name')) return ''
  try {
    const name = parseFieldSelector(text).exactValue('metadata.name') ?? ''
    return isPathSegmentName(name).length === 0 ? name : ''
  } catch (error) {
    // Refused where the selector is put to use.
    if (error instanceof StatusError) return ''
    throw error
  }
}

function splitNamespace(segments: readonly string[]): { namespace: string; parts: readonly string[] } {
  if (segments[0] !== 'namespaces') return { namespace: '', parts: segments }
  const namespace = segments[1] ?? ''
  const isOfNamespace = segments.length <= 2 || NAMESPACE_SUBRESOURCES.has(segments[2]!)
  return { namespace, parts: isOfNamespace ? segments : segments.slice(2) }
}

function nonResourceRequest(method: string): RequestInfo {
  return {
    isResourceRequest: false,
    verb: method.toLowerCase(),
    group: '',
    version: '',
    namespace: '',
    resource: '',
    subresource: '',
    name: '',
    parts: [],
  }
}

function splitPath(path: string): string[] {
  const trimmed = path.replace(/^\/+|\/+$/g, '')
  return trimmed === '' ? [] : trimmed.split('/')
}
