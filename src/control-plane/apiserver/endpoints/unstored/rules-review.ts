/** Lists what the caller may do in a namespace. */
import type { SelfSubjectRulesReview } from '#api/authorization/v1.gen.ts'
import { badRequest } from '#machinery/status-error.ts'
import type { UserInfo } from '../../request.ts'
import type { EndpointContext } from '../context.ts'

export async function reviewRules(
  context: EndpointContext,
  review: SelfSubjectRulesReview,
  user: UserInfo,
): Promise<SelfSubjectRulesReview> {
  const namespace = review.spec.namespace ?? ''
  if (namespace === '') throw badRequest('no namespace on request')
  const { rules, incomplete, errors } = await context.dependencies.authorizer.rulesFor(user, namespace)
  const resourceRules = rules
    .filter((rule) => (rule.resources ?? []).length > 0)
    .map(({ verbs, apiGroups = [], resources = [], resourceNames = [] }) => ({
      verbs: [...verbs],
      apiGroups: [...apiGroups],
      resources: [...resources],
      ...(resourceNames.length === 0 ? {} : { resourceNames: [...resourceNames] }),
    }))
  const nonResourceRules = rules
    .filter((rule) => (rule.nonResourceURLs ?? []).length > 0)
    .map(({ verbs, nonResourceURLs = [] }) => ({ verbs: [...verbs], nonResourceURLs: [...nonResourceURLs] }))
  return {
    ...review,
    status: {
      resourceRules,
      nonResourceRules,
      incomplete,
      ...(errors.length === 0 ? {} : { evaluationError: errors.join(', ') }),
    },
  }
}
