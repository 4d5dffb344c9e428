/** Answers in the form the client asked for: Table (what `kubectl get` prints), metadata only, or the objects themselves. */
import type { KubernetesObject } from '#machinery/meta/object.ts'
import { badRequest, StatusError } from '#machinery/status-error.ts'
import type { FormKind, FormName } from '../http/negotiation.ts'
import { writeJson } from '../http/json-writer.ts'
import type { ApiResponse, ResponseBody, ServedWatchEvent, StoredObject, WatchStream } from '../request.ts'
import { columnDefinitionsOf, metadataOf, renderRow, type IncludeObject, type Shape } from './table-rows.ts'

/** Another form than the objects themselves. */
export type Form = {
  readonly as: FormName
  /** `meta.k8s.io/v1`, or the beta that old clients ask for. */
  readonly apiVersion: string
  readonly include: IncludeObject
}

export function transformForAccept(response: ApiResponse, form: Form, kind: Shape, nowMs: number): ApiResponse {
  const { body } = response
  if (body.form === 'stored')
    return { ...response, body: { form: 'object', object: transformOne(body.stored.object(), form, kind, nowMs) } }
  if (body.form === 'object' && isObjectOf(kind, body.object))
    return {
      ...response,
      body: { form: 'object', object: transformOne(body.object as KubernetesObject, form, kind, nowMs) },
    }
  if (body.form === 'list') return { ...response, body: transformList(body, form, kind, nowMs) }
  if (body.form === 'watch')
    return { ...response, body: { ...body, stream: transformStream(body.stream, form, kind, nowMs) } }
  return response
}

/** The form that was negotiated, with what the query says of it. Throws 400 for a query that says nonsense. */
export function formOf({ kind, group, version }: FormKind, query: URLSearchParams): Form {
  return { as: kind as FormName, apiVersion: `${group}/${version}`, include: readInclude(kind, query) }
}

function readInclude(as: string, query: URLSearchParams): IncludeObject {
  const text = query.get('includeObject') || 'Metadata'
  if (as !== 'Table' || text === 'None' || text === 'Metadata' || text === 'Object') return text as IncludeObject
  throw badRequest(
    `Unable to convert to Table as requested: includeObject: Invalid value: ${JSON.stringify(text)}: must be 'Metadata', 'Object', 'None', or empty`,
  )
}

function refuse(message: string): StatusError {
  return new StatusError({ code: 406, reason: 'NotAcceptable', message })
}

/** The kind as Go prints its internal type. */
function goType({ group, kind, conversion }: Shape): string {
  const internalGroup = conversion?.storedAs.group ?? group
  return `*${internalGroup === '' ? 'core' : internalGroup.split('.')[0]}.${kind}`
}

function isObjectOf(kind: Shape, object: unknown): boolean {
  return (object as { kind?: string }).kind === kind.kind
}

function transformOne(object: KubernetesObject, form: Form, kind: Shape, nowMs: number): unknown {
  if (form.as === 'PartialObjectMetadataList')
    throw refuse(`you requested PartialObjectMetadataList, but the requested object is not a list (${goType(kind)})`)
  if (form.as !== 'Table') return partial(object, form, kind)
  const { resourceVersion } = object.metadata
  return table(resourceVersion ? { resourceVersion } : {}, form, kind, [rowOf(kind, object, form, nowMs)])
}

type ListBody = Extract<ResponseBody, { form: 'list' }>

function transformList({ metadata: whole, items }: ListBody, form: Form, kind: Shape, nowMs: number): ResponseBody {
  if (form.as === 'PartialObjectMetadata')
    throw refuse(`you requested PartialObjectMetadata, but the requested object is a list (${goType(kind)}List)`)
  const isTable = form.as === 'Table'
  // Upstream copies the other fields one by one.
  const { shardInfo: _, ...metadata } = whole
  const { as, apiVersion } = form
  // Go's list without an item is no list.
  if (!isTable && items.length === 0) return { form: 'object', object: { kind: as, apiVersion, metadata, items: null } }
  const render = (object: KubernetesObject): unknown =>
    isTable ? rowOf(kind, object, form, nowMs) : partial(object, form, kind)
  return {
    form: 'list',
    apiVersion,
    kind: as,
    metadata,
    items: items.map((item) => new RenderedItem(item, render)),
    keepsItemTypes: true,
    ...(isTable && { extra: { columnDefinitions: columnDefinitionsOf(kind) }, itemsName: 'rows' }),
  }
}

/** A row, or what is left of an object: made when the answer comes to it. */
class RenderedItem implements StoredObject {
  readonly #item: StoredObject
  readonly #render: (object: KubernetesObject) => unknown
  constructor(item: StoredObject, render: (object: KubernetesObject) => unknown) {
    this.#item = item
    this.#render = render
  }
  get key(): string {
    return this.#item.key
  }
  get revision(): number {
    return this.#item.revision
  }
  get bytes(): Buffer {
    return Buffer.from(writeJson(this.object()))
  }
  object(): KubernetesObject {
    return this.#render(this.#item.object()) as KubernetesObject
  }
}

function partial(object: KubernetesObject, { apiVersion }: Form, kind: Shape): unknown {
  return { kind: 'PartialObjectMetadata', apiVersion, metadata: metadataOf(kind, object) }
}

function rowOf(kind: Shape, object: KubernetesObject, { include, apiVersion }: Form, nowMs: number): unknown {
  return renderRow(kind, object, { include, apiVersion, nowMs })
}

function table(metadata: object, { apiVersion }: Form, kind: Shape, rows: unknown[]): unknown {
  return { kind: 'Table', apiVersion, metadata, columnDefinitions: columnDefinitionsOf(kind), rows }
}

/** Each event holds a Table of one row; only the first one repeats the columns. */
function transformStream(stream: WatchStream, form: Form, kind: Shape, nowMs: number): WatchStream {
  let isFirst = true
  const transform = (event: ServedWatchEvent): ServedWatchEvent => {
    if (event.type === 'ERROR') return event
    const object = event.object() as KubernetesObject
    const view = transformEvent(object, form, kind, { nowMs, isFirst })
    isFirst = false
    return { type: event.type, bytes: Buffer.from(writeJson(view)), object: () => view }
  }
  const next = async (): Promise<readonly ServedWatchEvent[] | null> => {
    const events = await stream.next()
    // No event holds a list: such a watch ends where the first object would be.
    const isUnwritable = form.as === 'PartialObjectMetadataList' && events?.some(({ type }) => type !== 'ERROR')
    if (!isUnwritable) return events?.map(transform) ?? null
    stream.close()
    return null
  }
  return { next, close: () => stream.close() }
}

/** The end of the initial state is told by an annotation, which no table leaves out. */
const INITIAL_END = 'k8s.io/initial-events-end'

function transformEvent(
  object: KubernetesObject,
  form: Form,
  kind: Shape,
  { nowMs, isFirst }: { readonly nowMs: number; readonly isFirst: boolean },
): unknown {
  if (form.as !== 'Table') return partial(object, form, kind)
  const { resourceVersion, annotations } = object.metadata
  const include = form.include === 'None' && annotations?.[INITIAL_END] !== undefined ? 'Metadata' : form.include
  return {
    kind: 'Table',
    apiVersion: form.apiVersion,
    metadata: { resourceVersion },
    columnDefinitions: isFirst ? columnDefinitionsOf(kind) : null,
    rows: [rowOf(kind, object, { ...form, include }, nowMs)],
  }
}
