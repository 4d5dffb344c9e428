/** The frame of access and token reviews: kinds that are answered and never stored. */
import { formatApiVersion, type KindDefinition } from '#api/kind.ts'
import { invalidFrom } from '#machinery/field-error.ts'
import { recordUpdate } from '#machinery/field-ownership/record-update.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import { normalize } from '#machinery/schema/encode.ts'
import { schemaOf } from '#machinery/schema/registry.ts'
import type { ApiRequest, ApiResponse, UserInfo } from '../../request.ts'
import { writeContext, type EndpointContext } from '../context.ts'
import { readWriteParameters } from '../parameters.ts'
import type { UnstoredHandler } from './handler.ts'

/** Answers one review: what it asks for is in the object, and the answer is the object with its status. */
export type Reviewer<T extends KubernetesObject> = (
  context: EndpointContext,
  review: T,
  user: UserInfo,
) => Promise<unknown>

/** The handler of a kind of reviews: decodes, defaults and validates as a write would, then asks the reviewer. */
export function reviewHandler<T extends KubernetesObject>(review: Reviewer<T>): UnstoredHandler {
  return (context, kind, request) =>
    handleReview(context, kind, request, review as unknown as Reviewer<KubernetesObject>)
}

async function handleReview(
  context: EndpointContext,
  kind: KindDefinition,
  request: ApiRequest,
  review: Reviewer<KubernetesObject>,
): Promise<ApiResponse> {
  const parameters = readWriteParameters(request, 'CreateOptions')
  const object = context.decodeBody(request, kind, parameters.fieldValidation)
  const { namespace } = request.info
  if (kind.namespaced) object.metadata.namespace ||= namespace
  kind.strategy.setDefaults?.(object, context.clock.now())
  const owners = recordUpdate({
    schema: schemaOf(kind.schema),
    apiVersion: formatApiVersion(kind),
    kind: kind.kind,
    live: null,
    updated: object,
    manager: parameters.fieldManager,
    subresource: '',
    nowMs: context.clock.now(),
  })
  if (owners !== undefined) object.metadata.managedFields = owners
  const strategyContext = writeContext(context, request, parameters).strategy
  kind.strategy.prepareForCreate?.(object, strategyContext)
  const errors = kind.strategy.validate?.(object, strategyContext) ?? []
  if (errors.length > 0) throw invalidFrom(kind, object.metadata.name ?? '', errors)
  const answer = await review(context, object, request.user)
  return { code: 201, body: { form: 'object', object: normalize(schemaOf(kind.schema), answer as object) } }
}
