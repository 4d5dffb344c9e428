/** Scales a workload by what it uses, within limits. */
import type { HorizontalPodAutoscaler } from '#api/autoscaling/v2.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import { horizontalPodAutoscalerStrategy } from './strategy.ts'
import { autoscalerCells } from './table.ts'

export const horizontalPodAutoscalerKind = defineKind<HorizontalPodAutoscaler>(
  'autoscaling/v2/horizontalpodautoscalers',
  { strategy: horizontalPodAutoscalerStrategy, row: autoscalerCells },
)
