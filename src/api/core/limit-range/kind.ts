/** Default and largest resources of pods in a namespace. */
import type { LimitRange } from '#api/core/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import { limitRangeStrategy } from './strategy.ts'

export const limitRangeKind = defineKind<LimitRange>('v1/limitranges', { strategy: limitRangeStrategy })
