/** The answer to a request as the audit log holds it: its Status, and its object as JSON. */
import type { Clock } from '#base/clock.ts'
import { collectParts, listJsonParts, type ListBody } from '../http/list-parts.ts'
import type { ApiResponse } from '../request.ts'

/** An object that is no Status leaves only its code. */
export function responseStatusOf({ code, body }: ApiResponse): Record<string, unknown> {
  const object = body.form === 'object' ? (body.object as Record<string, unknown>) : null
  if (object?.['kind'] !== 'Status' || object['apiVersion'] !== 'v1') return { metadata: {}, code }
  const { kind: _kind, apiVersion: _apiVersion, ...status } = object
  return { ...status, code: status['code'] ?? code }
}

export type ResponseTextOptions = { readonly omitManagedFields: boolean; readonly clock: Clock }

/** Null for what is no object. */
export async function responseObjectOf({ body }: ApiResponse, options: ResponseTextOptions): Promise<string | null> {
  if (body.form === 'list') return listText(body, options)
  const text = body.form === 'object' ? JSON.stringify(body.object) : null
  const whole = body.form === 'stored' ? body.stored.bytes.toString() : text
  return whole === null || !options.omitManagedFields ? whole : withoutManagedFieldsText(whole)
}

/** Item by item, so that a long list does not hold the event loop. */
async function listText(body: ListBody, { omitManagedFields, clock }: ResponseTextOptions): Promise<string> {
  const parts = omitManagedFields
    ? listJsonParts(body, (item) => withoutManagedFields(item as Loose))
    : listJsonParts(body)
  return Buffer.concat(await collectParts(parts, clock))
    .toString()
    .trimEnd()
}

/** An object, a list, a Table, or one row of it. */
type Loose = {
  metadata?: Record<string, unknown>
  items?: Loose[]
  rows?: Loose[]
  object?: Loose | null
  cells?: unknown
}

const withoutManagedFieldsText = (text: string): string =>
  JSON.stringify(withoutManagedFields(JSON.parse(text) as Loose))

/** Works on a value of its own. */
function withoutManagedFields(object: Loose): Loose {
  if (object.metadata !== undefined) delete object.metadata['managedFields']
  for (const item of object.items ?? []) withoutManagedFields(item)
  for (const row of object.rows ?? []) withoutManagedFields(row)
  if (object.cells !== undefined && object.object) withoutManagedFields(object.object)
  return object
}
