/** What answers the requests for a kind of which nothing is stored. */
import type { KindDefinition } from '#api/kind.ts'
import type { ApiRequest, ApiResponse } from '../../request.ts'
import type { EndpointContext } from '../context.ts'

/** Called only for verbs that the kind has. */
export type UnstoredHandler = (
  context: EndpointContext,
  kind: KindDefinition,
  request: ApiRequest,
) => Promise<ApiResponse>
