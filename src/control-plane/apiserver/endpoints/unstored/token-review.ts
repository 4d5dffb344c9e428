/** Tells whose a bearer token is, for webhooks and kubelets. */
import type { TokenReview } from '#api/authentication/v1.gen.ts'
import { badRequest } from '#machinery/status-error.ts'
import type { EndpointContext } from '../context.ts'
import { toUserInfo } from './user-info.ts'

export async function reviewToken(context: EndpointContext, review: TokenReview): Promise<TokenReview> {
  const token = review.spec.token ?? ''
  if (token === '') throw badRequest('token is required for TokenReview in authentication')
  try {
    const known = await context.dependencies.tokens.authenticateToken(token, review.spec.audiences ?? [])
    if (known === null) return { ...review, status: { user: {}, authenticated: false } }
    return {
      ...review,
      status: {
        authenticated: true,
        user: toUserInfo(known.user),
        ...(known.audiences.length === 0 ? {} : { audiences: [...known.audiences] }),
      },
    }
  } catch (error) {
    return { ...review, status: { user: {}, authenticated: false, error: (error as Error).message } }
  }
}
