/** Columns and rows of Table answers, from the kind's own definition. */
import type { KindDefinition } from '#api/kind.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'

/** What a table needs to know of what it shows. */
export type Shape = Pick<KindDefinition, 'group' | 'kind' | 'table'> &
  Partial<Pick<KindDefinition, 'conversion' | 'annotationOfField'>>

export type IncludeObject = 'None' | 'Metadata' | 'Object'

const definitions = new WeakMap<Shape, unknown[]>()

/** The same array for each answer of a kind. */
export function columnDefinitionsOf(kind: Shape): unknown[] {
  let columns = definitions.get(kind)
  if (columns === undefined)
    definitions.set(
      kind,
      (columns = kind.table.columns.map(({ name, type, format, description, priority }) => ({
        name,
        type,
        format,
        description,
        priority,
      }))),
    )
  return columns
}

export function renderRow(
  kind: Shape,
  object: KubernetesObject,
  options: { readonly include: IncludeObject; readonly apiVersion: string; readonly nowMs: number },
): unknown {
  const { include, apiVersion, nowMs } = options
  const conditions = kind.table.rowConditions?.(object) ?? []
  const metadataOnly = { kind: 'PartialObjectMetadata', apiVersion, metadata: metadataOf(kind, object) }
  return {
    cells: kind.table.row(object.metadata.name === undefined ? nameless(object) : object, nowMs),
    ...(conditions.length === 0 ? {} : { conditions }),
    object: include === 'None' ? null : include === 'Object' ? object : metadataOnly,
  }
}

/** Of an object that is shown in part. */
export function metadataOf({ annotationOfField }: Shape, { metadata }: KubernetesObject): KubernetesObject['metadata'] {
  if (annotationOfField === undefined || metadata.annotations?.[annotationOfField] === undefined) return metadata
  const { [annotationOfField]: _, ...annotations } = metadata.annotations
  const { annotations: _all, ...rest } = metadata
  return Object.keys(annotations).length === 0 ? rest : { ...rest, annotations }
}

/** Bookmarks are objects without a name, and Go's cells show the empty text. */
function nameless(object: KubernetesObject): KubernetesObject {
  return { ...object, metadata: { ...object.metadata, name: '' } }
}
