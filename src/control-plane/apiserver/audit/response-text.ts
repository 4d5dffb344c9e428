/** The answer to a request as the audit log holds it: its Status, and its object as JSON. */
import type { ApiResponse, ResponseBody } from '../request.ts'

/** An object that is no Status leaves only its code. */
export function responseStatusOf({ code, body }: ApiResponse): Record<string, unknown> {
  const object = body.form === 'object' ? (body.object as Record<string, unknown>) : null
  if (object?.['kind'] !== 'Status' || object['apiVersion'] !== 'v1') return { metadata: {}, code }
  const { kind: _kind, apiVersion: _apiVersion, ...status } = object
  return { ...status, code: status['code'] ?? code }
}

/** Null for what is no object. */
export function responseObjectOf({ body }: ApiResponse, omitManagedFields: boolean): string | null {
  const text = textOf(body)
  return text === null || !omitManagedFields ? text : JSON.stringify(withoutManagedFields(JSON.parse(text)))
}

function textOf(body: ResponseBody): string | null {
  switch (body.form) {
    case 'object':
      return JSON.stringify(body.object)
    case 'stored':
      return body.stored.bytes.toString()
    case 'list': {
      const { kind, apiVersion, metadata, items, keepsItemTypes } = body
      const texts = items.map(({ bytes }) => (keepsItemTypes ? bytes.toString() : untyped(bytes)))
      return `${JSON.stringify({ kind, apiVersion, metadata }).slice(0, -1)},"items":[${texts.join(',')}]}`
    }
    default:
      return null
  }
}

function untyped(bytes: Buffer): string {
  const { kind: _kind, apiVersion: _apiVersion, ...fields } = JSON.parse(bytes.toString()) as Record<string, unknown>
  return JSON.stringify(fields)
}

type Loose = { metadata?: Record<string, unknown>; items?: Loose[]; rows?: { object?: Loose }[] }

/** Works on a value of its own. */
function withoutManagedFields(object: Loose): Loose {
  if (object.metadata !== undefined) delete object.metadata['managedFields']
  for (const item of object.items ?? []) withoutManagedFields(item)
  for (const { object: shown } of object.rows ?? []) if (shown !== undefined) withoutManagedFields(shown)
  return object
}
