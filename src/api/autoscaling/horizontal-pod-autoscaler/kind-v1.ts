/** Scales a workload by the processor time it uses; the other metrics are annotations. Stored as autoscaling/v2. */
import type { HorizontalPodAutoscaler } from '#api/autoscaling/v1.gen.ts'
import { defineVersion } from '#api/define-version.ts'
import { fromStoredAutoscaler, toStoredAutoscaler } from './conversion.ts'
import { horizontalPodAutoscalerKind } from './kind.ts'

export const horizontalPodAutoscalerV1Kind = defineVersion<HorizontalPodAutoscaler>(
  'autoscaling/v1/horizontalpodautoscalers',
  horizontalPodAutoscalerKind,
  { conversion: { toStored: toStoredAutoscaler, fromStored: fromStoredAutoscaler } },
)
