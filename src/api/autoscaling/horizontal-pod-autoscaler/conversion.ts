/** HorizontalPodAutoscalers of autoscaling/v1 in the stored form of autoscaling/v2, and back. */
import type { HorizontalPodAutoscaler as V1Autoscaler } from '#api/autoscaling/v1.gen.ts'
import type { HorizontalPodAutoscaler, HPAScalingRules, MetricSpec } from '#api/autoscaling/v2.gen.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import {
  fromV1Metric,
  fromV1MetricStatus,
  toV1Metric,
  toV1MetricStatus,
  type V1Metric,
  type V1MetricStatus,
} from './v1-metrics.ts'
import { CONVERTED_ANNOTATIONS, cpuMetric, defaultMetric, dropConvertedAnnotations } from './strategy.ts'

export function toStoredAutoscaler(autoscaler: V1Autoscaler): HorizontalPodAutoscaler {
  const { annotations = {} } = autoscaler.metadata
  const metadata = { ...autoscaler.metadata }
  dropConvertedAnnotations(metadata)
  const { targetCPUUtilizationPercentage: percent, ...spec } = autoscaler.spec
  const stored: HorizontalPodAutoscaler = { apiVersion: 'autoscaling/v2', kind: autoscaler.kind!, metadata, spec }
  const others = parsed<V1Metric[]>(annotations[CONVERTED_ANNOTATIONS.metrics])
  const metrics = [...(others ?? []).map(fromV1Metric), ...(percent === undefined ? [] : [cpuMetric(percent)])]
  stored.spec.metrics = metrics.length === 0 ? [defaultMetric()] : metrics
  const behavior = parsed<GoBehavior>(annotations[CONVERTED_ANNOTATIONS.behavior])
  if (behavior !== undefined) stored.spec.behavior = fromGoBehavior(behavior)
  if (autoscaler.status !== undefined) stored.status = toStoredStatus(autoscaler.status, annotations)
  return stored
}

type StoredStatus = NonNullable<HorizontalPodAutoscaler['status']>

function toStoredStatus(
  { currentCPUUtilizationPercentage: percent, ...status }: NonNullable<V1Autoscaler['status']>,
  annotations: Readonly<Record<string, string>>,
): StoredStatus {
  const stored: StoredStatus = status
  if (percent !== undefined)
    stored.currentMetrics = [{ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: percent } } }]
  const metrics = parsed<V1MetricStatus[]>(annotations[CONVERTED_ANNOTATIONS.currentMetrics])
  if (metrics !== undefined) stored.currentMetrics = metrics.map(fromV1MetricStatus)
  const conditions = parsed<NonNullable<StoredStatus['conditions']>>(annotations[CONVERTED_ANNOTATIONS.conditions])
  if (conditions !== undefined) stored.conditions = conditions
  return stored
}

export function fromStoredAutoscaler(object: KubernetesObject): V1Autoscaler {
  const stored = object as HorizontalPodAutoscaler
  const { metrics: storedMetrics, behavior, ...spec } = stored.spec
  const metrics = storedMetrics ?? []
  const autoscaler: V1Autoscaler = {
    apiVersion: 'autoscaling/v1',
    kind: stored.kind!,
    metadata: { ...stored.metadata },
    spec,
  }
  dropConvertedAnnotations(autoscaler.metadata)
  const percent = metrics.find(isCpuUtilization)?.resource?.target.averageUtilization
  if (percent !== undefined) autoscaler.spec.targetCPUUtilizationPercentage = percent
  const added: Record<string, unknown> = {}
  const others = metrics.filter((metric) => !isCpuUtilization(metric)).map(toV1Metric)
  if (others.length > 0) added[CONVERTED_ANNOTATIONS.metrics] = others
  if (behavior !== undefined) added[CONVERTED_ANNOTATIONS.behavior] = toGoBehavior(behavior)
  if (stored.status !== undefined) {
    const { currentMetrics: currentStored, conditions: conditionsStored, ...status } = stored.status
    // Stored as null where there are none.
    const [currentMetrics, conditions] = [currentStored ?? [], conditionsStored ?? []]
    autoscaler.status = { ...status, currentReplicas: status.currentReplicas ?? 0 }
    const cpu = currentMetrics.findLast(({ type, resource }) => type === 'Resource' && resource?.name === 'cpu')
    const used = cpu?.resource?.current.averageUtilization
    if (used !== undefined) autoscaler.status.currentCPUUtilizationPercentage = used
    if (currentMetrics.length > 0) added[CONVERTED_ANNOTATIONS.currentMetrics] = currentMetrics.map(toV1MetricStatus)
    if (conditions.length > 0) added[CONVERTED_ANNOTATIONS.conditions] = conditions.map(toGoCondition)
  }
  annotate(autoscaler, added)
  return autoscaler
}

function annotate({ metadata }: V1Autoscaler, added: Readonly<Record<string, unknown>>): void {
  const texts = Object.entries(added).map(([name, value]) => [name, JSON.stringify(value)])
  if (texts.length > 0) metadata.annotations = { ...metadata.annotations, ...Object.fromEntries(texts) }
}

function isCpuUtilization({ type, resource }: MetricSpec): boolean {
  return type === 'Resource' && resource?.name === 'cpu' && resource.target.averageUtilization !== undefined
}

/** Text that is no JSON is as good as none. */
function parsed<T>(text: string | undefined): T | undefined {
  if (text === undefined) return undefined
  try {
    const value = JSON.parse(text) as T | null
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

function toGoCondition(condition: NonNullable<StoredStatus['conditions']>[number]): Record<string, unknown> {
  const { type, status, lastTransitionTime = null, reason, message, observedGeneration } = condition
  return { type, status, lastTransitionTime, reason, message, observedGeneration }
}

/** The annotation holds Go's own form of the rules: names in capitals, and nulls. */
type GoRules = Readonly<Record<string, unknown>>
type GoBehavior = Readonly<Record<string, GoRules | null>>

function toGoBehavior({ scaleUp, scaleDown }: NonNullable<HorizontalPodAutoscaler['spec']['behavior']>): unknown {
  return { ScaleUp: toGoRules(scaleUp), ScaleDown: toGoRules(scaleDown) }
}

function toGoRules(rules: HPAScalingRules | undefined): GoRules | null {
  if (rules === undefined) return null
  return {
    StabilizationWindowSeconds: rules.stabilizationWindowSeconds ?? null,
    SelectPolicy: rules.selectPolicy ?? null,
    Policies:
      rules.policies?.map(({ type, value, periodSeconds }) => ({
        Type: type,
        Value: value,
        PeriodSeconds: periodSeconds,
      })) ?? null,
    Tolerance: rules.tolerance ?? null,
  }
}

function fromGoBehavior(behavior: GoBehavior): NonNullable<HorizontalPodAutoscaler['spec']['behavior']> {
  return decapitalized(behavior) as NonNullable<HorizontalPodAutoscaler['spec']['behavior']>
}

/** The same value with names that start small and without nulls. */
function decapitalized(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(decapitalized)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, part]) => part !== null)
      .map(([name, part]) => [`${name.charAt(0).toLowerCase()}${name.slice(1)}`, decapitalized(part)]),
  )
}
