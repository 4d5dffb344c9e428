/** Tells whose a token is; never stored. */
import type { TokenReview } from '#api/authentication/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'

export const tokenReviewKind = defineKind<TokenReview>('authentication.k8s.io/v1/tokenreviews', { stored: false })
