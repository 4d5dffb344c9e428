/** Tells the caller who it is; never stored. */
import type { SelfSubjectReview } from '#api/authentication/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'

export const selfSubjectReviewKind = defineKind<SelfSubjectReview>('authentication.k8s.io/v1/selfsubjectreviews', {
  stored: false,
})
