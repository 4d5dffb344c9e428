/** How HorizontalPodAutoscalers are completed and checked, in the form of autoscaling/v2. */
import type { HorizontalPodAutoscaler, HPAScalingRules, MetricSpec } from '#api/autoscaling/v2.gen.ts'
import type { Strategy } from '#api/kind.ts'
import { specStatusStrategy } from '#api/strategies.ts'
import { wasSentEmpty } from '#machinery/schema/zero-values.ts'
import { validateAutoscaler, validateAutoscalerStatus } from './validation.ts'

const parts = specStatusStrategy<HorizontalPodAutoscaler>({ generation: true })

export const horizontalPodAutoscalerStrategy: Strategy<HorizontalPodAutoscaler> = {
  prepareForCreate(autoscaler, context) {
    const { generation } = autoscaler.metadata
    parts.prepareForCreate(autoscaler, context)
    if (!context.features.isEnabled('HPAGeneration')) setGeneration(autoscaler, generation)
  },
  prepareForUpdate(autoscaler, old, context) {
    parts.prepareForUpdate(autoscaler, old, context)
    if (!context.features.isEnabled('HPAGeneration')) setGeneration(autoscaler, old.metadata.generation)
  },
  setDefaults({ metadata, spec }) {
    dropConvertedAnnotations(metadata)
    spec.minReplicas ??= 1
    if ((spec.metrics ?? []).length === 0) spec.metrics = [defaultMetric()]
    if (spec.behavior !== undefined) {
      spec.behavior.scaleUp = completeRules(spec.behavior.scaleUp, defaultScaleUp())
      spec.behavior.scaleDown = completeRules(spec.behavior.scaleDown, defaultScaleDown())
    }
  },
  validate: (autoscaler, { features }) => validateAutoscaler(autoscaler, undefined, features),
  validateUpdate: (autoscaler, old, { subresource, features }) =>
    subresource === 'status' ? validateAutoscalerStatus(autoscaler) : validateAutoscaler(autoscaler, old, features),
}

function setGeneration({ metadata }: HorizontalPodAutoscaler, generation: number | undefined): void {
  if (generation === undefined) delete metadata.generation
  else metadata.generation = generation
}

/** Annotations that hold what autoscaling/v1 has no fields for. */
export const CONVERTED_ANNOTATIONS = {
  metrics: 'autoscaling.alpha.kubernetes.io/metrics',
  behavior: 'autoscaling.alpha.kubernetes.io/behavior',
  currentMetrics: 'autoscaling.alpha.kubernetes.io/current-metrics',
  conditions: 'autoscaling.alpha.kubernetes.io/conditions',
  scaleDownTolerance: 'autoscaling.alpha.kubernetes.io/scale-down-tolerance',
  scaleUpTolerance: 'autoscaling.alpha.kubernetes.io/scale-up-tolerance',
} as const

/** Only versions without the fields may carry the annotations. */
export function dropConvertedAnnotations(metadata: { annotations?: Record<string, string> }): void {
  const { annotations } = metadata
  if (annotations === undefined) return
  const dropped: string[] = Object.values(CONVERTED_ANNOTATIONS)
  if (!dropped.some((name) => name in annotations)) return
  const kept = Object.entries(annotations).filter(([name]) => !dropped.includes(name))
  if (kept.length === 0) delete metadata.annotations
  else metadata.annotations = Object.fromEntries(kept)
}

const DEFAULT_CPU_PERCENT = 80

export const defaultMetric = (): MetricSpec => cpuMetric(DEFAULT_CPU_PERCENT)

export function cpuMetric(percent: number): MetricSpec {
  return { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: percent } } }
}

const defaultScaleUp = (): HPAScalingRules => ({
  stabilizationWindowSeconds: 0,
  selectPolicy: 'Max',
  policies: [
    { type: 'Pods', value: 4, periodSeconds: 15 },
    { type: 'Percent', value: 100, periodSeconds: 15 },
  ],
})

/** No policies get the default ones; an empty list of them stays, and is refused. */
function completeRules(rules: HPAScalingRules | undefined, defaults: HPAScalingRules): HPAScalingRules {
  if (rules === undefined) return defaults
  return { ...defaults, ...(wasSentEmpty(rules, 'policies') && { policies: [] }), ...rules }
}

const defaultScaleDown = (): HPAScalingRules => ({
  selectPolicy: 'Max',
  policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
})
