/** Cells of the table of HorizontalPodAutoscalers. */
import type {
  HorizontalPodAutoscaler,
  MetricSpec,
  MetricStatus,
  MetricTarget,
  MetricValueStatus,
} from '#api/autoscaling/v2.gen.ts'
import { formatAge } from '#api/table-cells.ts'

export function autoscalerCells({ metadata, spec, status }: HorizontalPodAutoscaler, nowMs: number): unknown[] {
  return [
    metadata.name,
    `${spec.scaleTargetRef.kind ?? ''}/${spec.scaleTargetRef.name ?? ''}`,
    metricsCell(spec.metrics ?? [], status?.currentMetrics ?? []),
    spec.minReplicas === undefined ? '<unset>' : `${spec.minReplicas}`,
    spec.maxReplicas ?? 0,
    status?.currentReplicas ?? 0,
    formatAge(metadata.creationTimestamp, nowMs),
  ]
}

const METRICS_SHOWN = 2

function metricsCell(metrics: readonly MetricSpec[], current: readonly MetricStatus[]): string {
  if (metrics.length === 0) return '<none>'
  const shown = metrics.slice(0, METRICS_SHOWN).map((metric, i) => metricText(metric, current[i]))
  const hidden = metrics.length - shown.length
  return hidden > 0 ? `${shown.join(', ')} + ${hidden} more...` : shown.join(', ')
}

function metricText(metric: MetricSpec, current: MetricStatus | undefined): string {
  const { external, object, pods, resource, containerResource } = metric
  if (metric.type === 'External' && external !== undefined)
    return valueText(external.target, current?.external?.current)
  if (metric.type === 'Object' && object !== undefined) return valueText(object.target, current?.object?.current)
  if (metric.type === 'Pods' && pods !== undefined)
    return `${current?.pods?.current.averageValue ?? UNKNOWN}/${pods.target.averageValue}`
  if (metric.type === 'Resource' && resource !== undefined)
    return `${resource.name}: ${utilizationText(resource.target, current?.resource?.current)}`
  if (metric.type === 'ContainerResource' && containerResource !== undefined) {
    const now = current?.containerResource?.current
    return `${containerResource.name}: ${utilizationText(containerResource.target, now)}`
  }
  return '<unknown type>'
}

const UNKNOWN = '<unknown>'

function valueText(target: MetricTarget, current: MetricValueStatus | undefined): string {
  if (target.averageValue !== undefined) return `${current?.averageValue ?? UNKNOWN}/${target.averageValue} (avg)`
  return `${current?.value ?? UNKNOWN}/${target.value}`
}

function utilizationText(target: MetricTarget, current: MetricValueStatus | undefined): string {
  if (target.averageValue !== undefined) return `${current?.averageValue ?? UNKNOWN}/${target.averageValue}`
  return `${percentText(current?.averageUtilization) ?? UNKNOWN}/${percentText(target.averageUtilization) ?? '<auto>'}`
}

const percentText = (percent: number | undefined): string | undefined =>
  percent === undefined ? undefined : `${percent}%`
