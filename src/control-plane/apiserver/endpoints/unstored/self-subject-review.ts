/** Tells callers who they are. */
import type { SelfSubjectReview } from '#api/authentication/v1.gen.ts'
import type { UserInfo } from '../../request.ts'
import { formatSeconds } from '../../registry/object-writer.ts'
import type { EndpointContext } from '../context.ts'
import { toUserInfo } from './user-info.ts'

export async function reviewSelf(
  { clock }: EndpointContext,
  review: SelfSubjectReview,
  user: UserInfo,
): Promise<unknown> {
  return {
    ...review,
    metadata: { ...review.metadata, creationTimestamp: formatSeconds(clock.now()) },
    status: { userInfo: toUserInfo(user) },
  } satisfies SelfSubjectReview
}
