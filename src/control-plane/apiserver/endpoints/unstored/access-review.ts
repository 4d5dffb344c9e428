/** Tells whether somebody may do something, by the authorizer that the API server itself asks. */
import type { SubjectAccessReview } from '#api/authorization/v1.gen.ts'
import type { Attributes } from '../../authorization/authorizer.ts'
import type { UserInfo } from '../../request.ts'
import type { EndpointContext } from '../context.ts'

/** About the user whom the review names. */
export function reviewSubject(context: EndpointContext, review: SubjectAccessReview): Promise<SubjectAccessReview> {
  return reviewAccess(context, review, subjectOf(review))
}

function subjectOf({ spec }: SubjectAccessReview): UserInfo {
  return { name: spec.user ?? '', uid: spec.uid ?? '', groups: spec.groups ?? [], extra: spec.extra ?? {} }
}

/** About the caller, or whoever is given. */
export async function reviewAccess(
  context: EndpointContext,
  review: SubjectAccessReview,
  user: UserInfo,
): Promise<SubjectAccessReview> {
  const decision = await context.dependencies.authorizer.authorize(attributesOf(review, user))
  return {
    ...review,
    status: {
      allowed: decision.verdict === 'allow',
      ...(decision.verdict === 'deny' ? { denied: true } : {}),
      ...(decision.reason === '' ? {} : { reason: decision.reason }),
    },
  }
}

function attributesOf({ spec }: SubjectAccessReview, user: UserInfo): Attributes {
  const resource = spec.resourceAttributes
  if (resource !== undefined)
    return {
      user,
      verb: resource.verb ?? '',
      isResourceRequest: true,
      namespace: resource.namespace ?? '',
      group: resource.group ?? '',
      version: resource.version ?? '',
      resource: resource.resource ?? '',
      subresource: resource.subresource ?? '',
      name: resource.name ?? '',
      path: '',
    }
  const { path = '', verb = '' } = spec.nonResourceAttributes ?? {}
  return {
    user,
    verb,
    isResourceRequest: false,
    namespace: '',
    group: '',
    version: '',
    resource: '',
    subresource: '',
    name: '',
    path,
  }
}
