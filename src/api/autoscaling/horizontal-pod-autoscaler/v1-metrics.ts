/** Metrics in the form that annotations of autoscaling/v1 hold, in the order of its fields. */
import type {
  CrossVersionObjectReference,
  MetricIdentifier,
  MetricSpec,
  MetricStatus,
  MetricTarget,
  MetricValueStatus,
} from '#api/autoscaling/v2.gen.ts'
import type { LabelSelector } from '#machinery/meta/v1.gen.ts'
import { isZeroQuantity } from '#machinery/quantity.ts'

type V1Source = {
  readonly target?: CrossVersionObjectReference
  readonly metricName?: string
  readonly name?: string
  readonly container?: string
  readonly selector?: LabelSelector
  readonly metricSelector?: LabelSelector
  readonly targetValue?: string
  readonly averageValue?: string
  readonly targetAverageValue?: string
  readonly targetAverageUtilization?: number
}

type V1Current = Omit<V1Source, 'targetValue' | 'targetAverageValue' | 'targetAverageUtilization'> & {
  readonly currentValue?: string
  readonly currentAverageValue?: string
  readonly currentAverageUtilization?: number
}

type BySource<T> = {
  readonly type: string
  readonly object?: T
  readonly pods?: T
  readonly resource?: T
  readonly containerResource?: T
  readonly external?: T
}

export type V1Metric = BySource<V1Source>
export type V1MetricStatus = BySource<V1Current>

/** Leaves out what is undefined: JSON would as well, but objects are also compared. */
function compact<T extends object>(object: T): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T
}

export function toV1Metric(metric: MetricSpec): V1Metric {
  const { type, object, pods, resource, containerResource, external } = metric
  const ofResource = ({ target }: { target: MetricTarget }): V1Source => ({
    targetAverageUtilization: target.averageUtilization!,
    targetAverageValue: target.averageValue!,
  })
  return compact({
    type,
    object: object && {
      target: withVersionLast(object.describedObject),
      metricName: object.metric.name,
      targetValue: object.target.value ?? '0',
      selector: object.metric.selector!,
      averageValue: object.target.averageValue!,
    },
    pods: pods && {
      metricName: pods.metric.name,
      targetAverageValue: pods.target.averageValue ?? '0',
      selector: pods.metric.selector!,
    },
    resource: resource && { name: resource.name, ...ofResource(resource) },
    containerResource: containerResource && {
      name: containerResource.name,
      ...ofResource(containerResource),
      container: containerResource.container,
    },
    external: external && {
      metricName: external.metric.name,
      metricSelector: external.metric.selector!,
      targetValue: external.target.value!,
      targetAverageValue: external.target.averageValue!,
    },
  }) as V1Metric
}

function withVersionLast({ kind, name, apiVersion }: CrossVersionObjectReference): CrossVersionObjectReference {
  return compact({ kind, name, apiVersion: apiVersion! })
}

const identifier = (name: string | undefined, selector: LabelSelector | undefined): MetricIdentifier =>
  compact({ name: name ?? '', selector: selector! })

export function fromV1Metric({ type, object, pods, resource, containerResource, external }: V1Metric): MetricSpec {
  return compact({
    type,
    object: object && {
      describedObject: object.target,
      metric: identifier(object.metricName, object.selector),
      target: objectTarget(object),
    },
    pods: pods && {
      metric: identifier(pods.metricName, pods.selector),
      target: { type: 'AverageValue', averageValue: pods.targetAverageValue ?? '0' },
    },
    resource: resource && { name: resource.name, target: resourceTarget(resource) },
    containerResource: containerResource && {
      name: containerResource.name,
      container: containerResource.container,
      target: resourceTarget(containerResource),
    },
    external: external && {
      metric: identifier(external.metricName, external.metricSelector),
      target: compact({
        type: external.targetValue === undefined ? 'AverageValue' : 'Value',
        value: external.targetValue,
        averageValue: external.targetAverageValue,
      }),
    },
  }) as MetricSpec
}

function objectTarget({ targetValue = '0', averageValue }: V1Source): MetricTarget {
  if (averageValue === undefined) return { type: 'Value', value: targetValue }
  return { type: 'AverageValue', averageValue, ...(isZeroQuantity(targetValue) ? {} : { value: targetValue }) }
}

function resourceTarget({ targetAverageUtilization, targetAverageValue }: V1Source): MetricTarget {
  return compact({
    type: targetAverageUtilization === undefined ? 'AverageValue' : 'Utilization',
    averageValue: targetAverageValue!,
    averageUtilization: targetAverageUtilization!,
  })
}

export function toV1MetricStatus(metric: MetricStatus): V1MetricStatus {
  const { type, object, pods, resource, containerResource, external } = metric
  const ofResource = ({ current }: { current: MetricValueStatus }): V1Current => ({
    currentAverageUtilization: current.averageUtilization!,
    currentAverageValue: current.averageValue ?? '0',
  })
  return compact({
    type,
    object: object && {
      target: withVersionLast(object.describedObject),
      metricName: object.metric.name,
      currentValue: object.current.value ?? '0',
      selector: object.metric.selector,
      averageValue: object.current.averageValue,
    },
    pods: pods && {
      metricName: pods.metric.name,
      currentAverageValue: pods.current.averageValue ?? '0',
      selector: pods.metric.selector,
    },
    resource: resource && { name: resource.name, ...ofResource(resource) },
    containerResource: containerResource && {
      name: containerResource.name,
      ...ofResource(containerResource),
      container: containerResource.container,
    },
    external: external && {
      metricName: external.metric.name,
      metricSelector: external.metric.selector,
      currentValue: external.current.value ?? '0',
      currentAverageValue: external.current.averageValue,
    },
  }) as V1MetricStatus
}

export function fromV1MetricStatus(metric: V1MetricStatus): MetricStatus {
  const { type, object, pods, resource, containerResource, external } = metric
  const ofResource = (current: V1Current): MetricValueStatus =>
    compact({
      averageValue: current.currentAverageValue ?? '0',
      averageUtilization: current.currentAverageUtilization!,
    })
  return compact({
    type,
    object: object && {
      describedObject: object.target,
      metric: identifier(object.metricName, object.selector),
      current: compact({ value: object.currentValue ?? '0', averageValue: object.averageValue }),
    },
    pods: pods && {
      metric: identifier(pods.metricName, pods.selector),
      current: { averageValue: pods.currentAverageValue ?? '0' },
    },
    resource: resource && { name: resource.name, current: ofResource(resource) },
    containerResource: containerResource && {
      name: containerResource.name,
      container: containerResource.container,
      current: ofResource(containerResource),
    },
    external: external && {
      metric: identifier(external.metricName, external.metricSelector),
      current: compact({ value: external.currentValue ?? '0', averageValue: external.currentAverageValue }),
    },
  }) as MetricStatus
}
