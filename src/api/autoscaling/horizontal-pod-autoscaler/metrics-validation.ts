/** What the metrics of a HorizontalPodAutoscaler must look like, and the objects that they describe. */
import type {
  CrossVersionObjectReference,
  MetricIdentifier,
  MetricSpec,
  MetricTarget,
} from '#api/autoscaling/v2.gen.ts'
import { validateContainerResourceName } from '#api/core/pod-spec/resource-names.ts'
import { checkDnsLabel, checkText } from '#api/validation.ts'
import { type FieldError, forbiddenField, invalidValue, notSupported, required } from '#machinery/field-error.ts'
import { compareQuantities } from '#machinery/quantity.ts'
import { isPathSegmentName } from '#machinery/validation/names.ts'

/** Field that holds each type of metric, in the order in which upstream looks at them. */
const SOURCES = {
  Object: 'object',
  External: 'external',
  Pods: 'pods',
  Resource: 'resource',
  ContainerResource: 'containerResource',
} as const
const TYPES = Object.keys(SOURCES).toSorted()

export function validateMetrics(
  errors: FieldError[],
  metrics: readonly MetricSpec[],
  old: readonly MetricSpec[],
): void {
  const mayBeInvalid = old.some(
    ({ type, object }) =>
      type === 'Object' &&
      object !== undefined &&
      versionProblem(object.describedObject.apiVersion ?? '') !== undefined,
  )
  for (const [i, metric] of metrics.entries()) checkMetric(errors, `spec.metrics[${i}]`, metric, mayBeInvalid)
}

function checkMetric(errors: FieldError[], path: string, metric: MetricSpec, mayBeInvalid: boolean): void {
  const type = metric.type ?? ''
  if (type === '') errors.push(required(`${path}.type`, 'must specify a metric source type'))
  if (!(type in SOURCES)) errors.push(notSupported(`${path}.type`, type, TYPES))
  const present = Object.values(SOURCES).filter((name) => metric[name] !== undefined)
  if (present[0] !== undefined)
    checkSource(errors, `${path}.${present[0]}`, { [present[0]]: metric[present[0]] }, mayBeInvalid)
  const expected = type in SOURCES ? SOURCES[type as keyof typeof SOURCES] : undefined
  if (expected !== undefined && metric[expected] === undefined)
    errors.push(required(`${path}.${expected}`, 'must populate information for the given metric source'))
  if (present.length > 1)
    for (const name of present)
      if (name !== expected)
        errors.push(forbiddenField(`${path}.${name}`, 'must populate the given metric source only'))
}

/** Looks at the one source that is there. */
function checkSource(errors: FieldError[], path: string, source: Partial<MetricSpec>, mayBeInvalid: boolean): void {
  const { object, external, pods, resource, containerResource } = source
  if (object !== undefined) {
    const rules = { mayBeInvalid, mayLackGroup: true }
    validateDescribedObject(errors, `${path}.describedObject`, object.describedObject, rules)
  }
  const named = object ?? external ?? pods
  if (named !== undefined) checkIdentifier(errors, `${path}.metric`, named.metric)
  if (resource !== undefined && !resource.name) errors.push(required(`${path}.name`, 'must specify a resource name'))
  if (containerResource !== undefined) checkContainerResource(errors, path, containerResource)
  const target = (named ?? resource ?? containerResource)?.target
  if (target === undefined) return
  checkTarget(errors, `${path}.target`, target)
  const { value, averageValue, averageUtilization } = target
  if (object !== undefined && value === undefined && averageValue === undefined)
    errors.push(required(`${path}.target.averageValue`, 'must set either a target value or averageValue'))
  if (external !== undefined) checkOneOf(errors, `${path}.target`, { value, averageValue }, EXTERNAL_TEXTS)
  if (pods !== undefined && averageValue === undefined)
    errors.push(required(`${path}.target.averageValue`, 'must specify a positive target averageValue'))
  if (resource !== undefined || containerResource !== undefined)
    checkOneOf(errors, `${path}.target`, { averageValue, averageUtilization }, RESOURCE_TEXTS)
}

type OneOfTexts = { readonly missing: string; readonly twice: string }

const EXTERNAL_TEXTS: OneOfTexts = {
  missing: 'must set either a target value for metric or a per-pod target',
  twice: 'may not set both a target value for metric and a per-pod target',
}
const RESOURCE_TEXTS: OneOfTexts = {
  missing: 'must set either a target raw value or a target utilization',
  twice: 'may not set both a target raw value and a target utilization',
}

/** Of two fields the second is the one to set, the first the one too many. */
function checkOneOf(errors: FieldError[], path: string, fields: Record<string, unknown>, texts: OneOfTexts): void {
  const [first, second] = Object.keys(fields)
  const isSet = Object.values(fields).map((value) => value !== undefined)
  if (!isSet[0]! && !isSet[1]!) errors.push(required(`${path}.${second}`, texts.missing))
  if (isSet[0]! && isSet[1]!) errors.push(forbiddenField(`${path}.${first}`, texts.twice))
}

function checkContainerResource(
  errors: FieldError[],
  path: string,
  { name, container }: NonNullable<MetricSpec['containerResource']>,
): void {
  if (name) validateContainerResourceName(errors, name, `${path}.name`)
  else errors.push(required(`${path}.name`, 'must specify a resource name'))
  if (container) checkDnsLabel(errors, `${path}.container`, container)
  else errors.push(required(`${path}.container`, 'must specify a container'))
}

function checkIdentifier(errors: FieldError[], path: string, metric: MetricIdentifier): void {
  if (metric.name) checkText(errors, `${path}.name`, metric.name, isPathSegmentName)
  else errors.push(required(`${path}.name`, 'must specify a metric name'))
}

function checkTarget(errors: FieldError[], path: string, target: MetricTarget): void {
  const { type = '', value, averageValue, averageUtilization: utilization } = target
  if (type === '') errors.push(required(`${path}.type`, 'must specify a metric target type'))
  if (!['Utilization', 'Value', 'AverageValue'].includes(type))
    errors.push(invalidValue(`${path}.type`, type, 'must be either Utilization, Value, or AverageValue'))
  for (const [name, quantity] of Object.entries({ value, averageValue }))
    if (quantity !== undefined && compareQuantities(quantity, 0) <= 0)
      errors.push(invalidValue(`${path}.${name}`, quantity, 'must be positive'))
  if (utilization !== undefined && utilization < 1)
    errors.push(invalidValue(`${path}.averageUtilization`, utilization, 'must be greater than 0'))
}

export type ReferenceRules = { readonly mayBeInvalid: boolean; readonly mayLackGroup: boolean }

export function validateDescribedObject(
  errors: FieldError[],
  path: string,
  reference: CrossVersionObjectReference,
  { mayBeInvalid, mayLackGroup }: ReferenceRules,
): void {
  for (const name of ['kind', 'name'] as const)
    if (reference[name]) checkText(errors, `${path}.${name}`, reference[name], isPathSegmentName)
    else errors.push(required(`${path}.${name}`))
  if (mayBeInvalid) return
  const version = reference.apiVersion ?? ''
  const problem = versionProblem(version)
  if (problem !== undefined) errors.push(invalidValue(`${path}.apiVersion`, version, problem))
  else if (!mayLackGroup && !/^[^/]+\//.test(version))
    errors.push(invalidValue(`${path}.apiVersion`, version, 'apiVersion must specify API group'))
}

function versionProblem(version: string): string | undefined {
  return version.split('/').length > 2 ? `unexpected GroupVersion string: ${version}` : undefined
}
