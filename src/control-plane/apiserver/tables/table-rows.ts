/** Columns and rows of Table answers, from the kind's own definition. */
import type { KindDefinition } from '#api/kind.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'

export type IncludeObject = 'None' | 'Metadata' | 'Object'

const META = 'meta.k8s.io/v1'
const definitions = new WeakMap<KindDefinition, unknown[]>()

/** The same array for each answer of a kind. */
export function columnDefinitionsOf(kind: KindDefinition): unknown[] {
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
  kind: KindDefinition,
  object: KubernetesObject,
  include: IncludeObject,
  nowMs: number,
): unknown {
  const conditions = kind.table.rowConditions?.(object) ?? []
  return {
    cells: kind.table.row(object, nowMs),
    ...(conditions.length === 0 ? {} : { conditions }),
    ...(include === 'None'
      ? {}
      : {
          object:
            include === 'Object'
              ? object
              : { kind: 'PartialObjectMetadata', apiVersion: META, metadata: object.metadata },
        }),
  }
}
