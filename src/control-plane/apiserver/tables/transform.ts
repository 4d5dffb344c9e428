/** Answers in the form the client asked for: Table (what `kubectl get` prints), metadata only, or the objects themselves. */
import type { KindDefinition } from '#api/kind.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import { parseAccept } from '../http/negotiation.ts'
import type { ApiRequest, ApiResponse, ServedWatchEvent, StoredObject, WatchStream } from '../request.ts'
import { columnDefinitionsOf, renderRow, type IncludeObject } from './table-rows.ts'

type Form = 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList' | null

const META = 'meta.k8s.io/v1'
const PLAIN_VERBS = new Set(['get', 'list', 'watch', 'create', 'update', 'patch'])

export function transformForAccept(
  response: ApiResponse,
  request: ApiRequest,
  kind: KindDefinition,
  nowMs: number,
): ApiResponse {
  const form = wantedForm(request)
  if (form === null || !PLAIN_VERBS.has(request.info.verb)) return response
  const { body } = response
  const include = (request.query.get('includeObject') ?? 'Metadata') as IncludeObject
  if (body.form === 'stored')
    return {
      ...response,
      body: { form: 'object', object: transformOne(body.stored.object(), form, kind, include, nowMs) },
    }
  if (body.form === 'object' && isObjectOf(kind, body.object))
    return {
      ...response,
      body: { form: 'object', object: transformOne(body.object as KubernetesObject, form, kind, include, nowMs) },
    }
  if (body.form === 'list')
    return { ...response, body: { form: 'object', object: transformList(body, form, kind, include, nowMs) } }
  if (body.form === 'watch')
    return { ...response, body: { form: 'watch', stream: transformStream(body.stream, form, kind, include, nowMs) } }
  return response
}

/** The first clause that names a form (or none) decides. */
function wantedForm({ headers }: ApiRequest): Form {
  for (const { type, parameters } of parseAccept(headers['accept'])) {
    if (type !== 'application/json' && type !== 'application/yaml' && !type.includes('*')) continue
    const { as, g, v } = parameters
    if (as === undefined) return null
    if (g === 'meta.k8s.io' && v === 'v1')
      return ['Table', 'PartialObjectMetadata', 'PartialObjectMetadataList'].includes(as) ? (as as Form) : null
  }
  return null
}

function isObjectOf(kind: KindDefinition, object: unknown): boolean {
  return (object as { kind?: string }).kind === kind.kind
}

function transformOne(
  object: KubernetesObject,
  form: Form,
  kind: KindDefinition,
  include: IncludeObject,
  nowMs: number,
): unknown {
  if (form !== 'Table') return partial(object)
  const { resourceVersion } = object.metadata
  return table(resourceVersion ? { resourceVersion } : {}, kind, [renderRow(kind, object, include, nowMs)])
}

type ListBody = { readonly metadata: Readonly<Record<string, unknown>>; readonly items: readonly StoredObject[] }

function transformList(
  { metadata, items }: ListBody,
  form: Form,
  kind: KindDefinition,
  include: IncludeObject,
  nowMs: number,
): unknown {
  if (form === 'Table')
    return table(
      metadata,
      kind,
      items.map((item) => renderRow(kind, item.object(), include, nowMs)),
    )
  return {
    kind: 'PartialObjectMetadataList',
    apiVersion: META,
    metadata,
    items: items.map((item) => partial(item.object())),
  }
}

function partial({ metadata }: KubernetesObject): unknown {
  return { kind: 'PartialObjectMetadata', apiVersion: META, metadata }
}

function table(metadata: object, kind: KindDefinition, rows: unknown[]): unknown {
  return { kind: 'Table', apiVersion: META, metadata, columnDefinitions: columnDefinitionsOf(kind), rows }
}

/** Each event holds a Table of one row; only the first one repeats the columns. */
function transformStream(
  stream: WatchStream,
  form: Form,
  kind: KindDefinition,
  include: IncludeObject,
  nowMs: number,
): WatchStream {
  let isFirst = true
  const transform = (event: ServedWatchEvent): ServedWatchEvent => {
    if (event.type === 'ERROR') return event
    const object = event.object() as KubernetesObject
    const view = transformEvent(event, object, form, kind, include, nowMs, isFirst)
    isFirst = false
    return { type: event.type, bytes: Buffer.from(JSON.stringify(view)), object: () => view }
  }
  return { next: async () => (await stream.next())?.map(transform) ?? null, close: () => stream.close() }
}

function transformEvent(
  event: ServedWatchEvent,
  object: KubernetesObject,
  form: Form,
  kind: KindDefinition,
  include: IncludeObject,
  nowMs: number,
  isFirst: boolean,
): unknown {
  if (form !== 'Table') return partial(object)
  const { resourceVersion } = object.metadata
  const rows =
    event.type === 'BOOKMARK'
      ? [{ cells: kind.table.columns.map(() => null), object: partial(object) }]
      : [renderRow(kind, object, include, nowMs)]
  return {
    kind: 'Table',
    apiVersion: META,
    metadata: { resourceVersion },
    columnDefinitions: isFirst ? columnDefinitionsOf(kind) : null,
    rows,
  }
}
