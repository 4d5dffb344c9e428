/** Tells whether somebody may do something in a namespace; never stored. */
import type { LocalSubjectAccessReview } from '#api/authorization/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import { validateLocalSubjectAccessReview } from '../validation.ts'

export const localSubjectAccessReviewKind = defineKind<LocalSubjectAccessReview>(
  'authorization.k8s.io/v1/localsubjectaccessreviews',
  { stored: false, strategy: { validate: validateLocalSubjectAccessReview } },
)
