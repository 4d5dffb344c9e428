/** Tells whether somebody may do something; never stored. */
import type { SubjectAccessReview } from '#api/authorization/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import { validateSubjectAccessReview } from '../validation.ts'

export const subjectAccessReviewKind = defineKind<SubjectAccessReview>('authorization.k8s.io/v1/subjectaccessreviews', {
  stored: false,
  strategy: { validate: validateSubjectAccessReview },
})
