/** Tells whether the caller may do something; never stored. */
import type { SelfSubjectAccessReview } from '#api/authorization/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import { validateSelfSubjectAccessReview } from '../validation.ts'

export const selfSubjectAccessReviewKind = defineKind<SelfSubjectAccessReview>(
  'authorization.k8s.io/v1/selfsubjectaccessreviews',
  { stored: false, strategy: { validate: validateSelfSubjectAccessReview } },
)
