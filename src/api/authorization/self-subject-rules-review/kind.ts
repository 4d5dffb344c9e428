/** Lists what the caller may do in a namespace; never stored. */
import type { SelfSubjectRulesReview } from '#api/authorization/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'

export const selfSubjectRulesReviewKind = defineKind<SelfSubjectRulesReview>(
  'authorization.k8s.io/v1/selfsubjectrulesreviews',
  { stored: false },
)
