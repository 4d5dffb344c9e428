/** Label and field selectors of a list or watch, as one predicate over cached objects. */
import type { KindDefinition } from '#api/kind.ts'
import { badRequest } from '#machinery/status-error.ts'
import { parseFieldSelector, type FieldSelectorMatcher } from '#machinery/selectors/field-selector.ts'
import { parseLabelSelector, LabelSelectorError } from '#machinery/selectors/label-selector.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import type { ApiRequest } from '../request.ts'
import type { Matches } from '../watch-cache/cache-event.ts'
import type { CachedObject } from '../watch-cache/cached-object.ts'

export type Selection = {
  readonly matches: Matches | null
  /** The field selector demands this very name. */
  readonly name: string
  /** The value demanded of the field that the watch cache has an index for. */
  readonly indexedValue?: string
  readonly isEmpty: boolean
}

const METADATA_FIELDS = ['metadata.name', 'metadata.namespace']

/** Throws 400 with upstream's text for selectors that cannot be read or name a field the kind does not offer. */
export function readSelection(kind: KindDefinition, labelText: string, fieldText: string): Selection {
  const { labels, fields } = readSelectors(kind, labelText, fieldText)
  const indexedValue = kind.indexedField === undefined ? '' : (fields.exactValue(kind.indexedField) ?? '')
  const matches: Matches | null =
    labels.isEmpty && fields.isEmpty
      ? null
      : (object) =>
          (labels.isEmpty || labels.matches(object.labels())) &&
          (fields.isEmpty || fields.matches((field) => fieldOf(kind, object, field)))
  return {
    matches,
    name: fields.exactValue('metadata.name') ?? '',
    ...(indexedValue === '' ? {} : { indexedValue }),
    isEmpty: labels.isEmpty && fields.isEmpty,
  }
}

/** A selector beside a name in the path must name the same object. */
export function checkSelectedName({ info }: Pick<ApiRequest, 'info'>, fieldText: string, selection: Selection): void {
  if (info.name === '' || fieldText === '' || selection.name === info.name) return
  throw badRequest("fieldSelector metadata.name doesn't match requested name")
}

/** The two selectors themselves, refused like those of `readSelection`. */
export function readSelectors(kind: KindDefinition, labelText: string, fieldText: string) {
  const labels = readLabels(labelText)
  const fields = parseFieldSelector(fieldText)
  checkFields(kind, fields)
  return { labels, fields }
}

/** Fields are those of the version that is asked, which may not be the stored one. */
function fieldOf(kind: KindDefinition, object: CachedObject, field: string): string {
  const select = kind.conversion === undefined ? undefined : kind.selectableFields[field]
  return select === undefined
    ? (object.field(field) ?? '')
    : select(kind.conversion!.fromStored(object.object()) as KubernetesObject)
}

function readLabels(text: string) {
  try {
    return parseLabelSelector(text)
  } catch (error) {
    if (error instanceof LabelSelectorError) throw badRequest(error.message)
    throw error
  }
}

function checkFields(kind: KindDefinition, { terms }: FieldSelectorMatcher): void {
  for (const { field } of terms) {
    const isKnown = field in kind.selectableFields || METADATA_FIELDS.includes(field)
    if (!isKnown)
      throw badRequest((kind.unknownFieldSelector ?? 'field label not supported: no.such').replace('no.such', field))
  }
}
