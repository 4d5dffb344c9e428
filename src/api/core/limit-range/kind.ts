/** Default and largest resources of pods in a namespace. */
import type { LimitRange } from '#api/core/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'

export const limitRangeKind = defineKind<LimitRange>('v1/limitranges', {})
