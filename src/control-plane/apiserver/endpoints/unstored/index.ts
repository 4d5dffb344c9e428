/** The list of kinds that are answered without being stored, and who answers for each. */
import { formatApiVersion, type KindDefinition } from '#api/kind.ts'
import { handleBinding } from '../subresources/binding.ts'
import { reviewAccess, reviewSubject } from './access-review.ts'
import { handleComponentStatuses } from './component-status.ts'
import type { UnstoredHandler } from './handler.ts'
import { reviewHandler } from './review.ts'
import { reviewRules } from './rules-review.ts'
import { reviewSelf } from './self-subject-review.ts'
import { reviewToken } from './token-review.ts'

const HANDLERS: Readonly<Record<string, UnstoredHandler>> = {
  'v1/bindings': (context, _, request) => handleBinding(context, context.resources.get('', 'v1', 'pods')!, request),
  'v1/componentstatuses': handleComponentStatuses,
  'authentication.k8s.io/v1/selfsubjectreviews': reviewHandler(reviewSelf),
  'authentication.k8s.io/v1/tokenreviews': reviewHandler(reviewToken),
  'authorization.k8s.io/v1/localsubjectaccessreviews': reviewHandler(reviewSubject),
  'authorization.k8s.io/v1/selfsubjectaccessreviews': reviewHandler(reviewAccess),
  'authorization.k8s.io/v1/selfsubjectrulesreviews': reviewHandler(reviewRules),
  'authorization.k8s.io/v1/subjectaccessreviews': reviewHandler(reviewSubject),
}

/** Throws for a kind that is served without a place for its objects and without anybody to answer for it. */
export function unstoredHandlersOf(kinds: readonly KindDefinition[]): ReadonlyMap<KindDefinition, UnstoredHandler> {
  return new Map(kinds.filter(({ stored }) => !stored).map((kind) => [kind, handlerOf(kind)]))
}

function handlerOf(kind: KindDefinition): UnstoredHandler {
  const name = `${formatApiVersion(kind)}/${kind.resource}`
  const handler = HANDLERS[name]
  if (handler === undefined) throw new Error(`${name} is not stored, and nothing answers for it`)
  return handler
}
