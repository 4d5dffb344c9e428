/** Answers with what was written: by its bytes where it was stored, as an object after a dry run. */
import { normalize } from '#machinery/schema/encode.ts'
import type { Written } from '../registry/object-writer.ts'
import type { Resource } from '../registry/resource.ts'
import type { ApiResponse } from '../request.ts'
import { servedObject } from './served.ts'

export function answerOf(
  resource: Resource,
  { object, stored }: Pick<Written, 'object' | 'stored'>,
  code: number,
): ApiResponse {
  if (stored !== null) return { code, body: servedObject(resource, stored) }
  return { code, body: { form: 'object', object: normalize(resource.schema, object) } }
}
