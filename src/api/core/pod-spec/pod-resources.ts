/** Checks and completes the resources that a pod asks for as a whole. */
import type { PodSpec } from '#api/core/v1.gen.ts'
import { type FieldError, forbiddenField, invalidValue } from '#machinery/field-error.ts'
import { compareQuantities } from '#machinery/quantity.ts'
import { aggregateResources, type Amounts } from './aggregate-resources.ts'
import { someContainer } from './containers-of.ts'
import { isHugePages, isOvercommitAllowed, isPodLevelResource } from './resource-names.ts'
import { type ResourcePlace, validatePodLevelRequirements } from './resources.ts'

export function validatePodResources(errors: FieldError[], spec: PodSpec, place: ResourcePlace): void {
  const { resources } = spec
  if (resources === undefined) return
  if (spec.os?.name === 'windows') {
    errors.push(forbiddenField(place.path, 'may not be set for a windows pod'))
    return
  }
  if (resources.claims !== undefined)
    errors.push(forbiddenField(`${place.path}.claims`, 'claims may not be set for Resources at pod-level'))
  validatePodLevelRequirements(errors, resources, place)
  validateConsistency(errors, spec, place.path)
}

/** The pod's own numbers have to cover those of its containers. */
function validateConsistency(errors: FieldError[], spec: PodSpec, path: string): void {
  const { requests = {}, limits = {} } = spec.resources ?? {}
  const atLeast = 'must be greater than or equal to aggregate container'
  for (const [name, amount] of Object.entries(aggregateResources(spec, 'requests'))) {
    const own = requests[name]
    if (own !== undefined && compareQuantities(amount, own) > 0)
      errors.push(invalidValue(`${path}.requests[${name}]`, own, `${atLeast} requests of ${amount}`))
  }
  for (const [name, amount] of Object.entries(aggregateResources(spec, 'limits'))) {
    const own = limits[name]
    if (isHugePages(name) && own !== undefined && compareQuantities(amount, own) > 0)
      errors.push(invalidValue(`${path}.limits[${name}]`, own, `${atLeast} limits of ${amount}`))
  }
  for (const [i, container] of (spec.containers ?? []).entries()) {
    for (const [name, amount] of Object.entries(container.resources?.limits ?? {})) {
      const own = limits[name]
      if (own === undefined || compareQuantities(amount, own) <= 0) continue
      const text = `must be less than or equal to pod limits of ${own}`
      errors.push(invalidValue(`${path}.containers[${i}][${name}].limits`, amount, text))
    }
  }
}

/** Fills what a pod that asks for something as a whole leaves open, from its containers. */
export function completePodResources(spec: PodSpec): void {
  const own = spec.resources
  if (own === undefined || (isEmpty(own.requests) && isEmpty(own.limits))) return
  completeHugePages(spec)
  completeRequests(spec)
  completeLimits(spec)
}

function isEmpty(amounts: Amounts | undefined): boolean {
  return amounts === undefined || Object.keys(amounts).length === 0
}

function completeHugePages(spec: PodSpec): void {
  const own = spec.resources!
  const limits: Amounts = { ...own.limits }
  for (const [name, amount] of Object.entries(aggregateResources(spec, 'limits')))
    if (isHugePages(name) && own.requests?.[name] === undefined) limits[name] ??= amount
  if (!isEmpty(limits)) own.limits = limits
}

function completeRequests(spec: PodSpec): void {
  const own = spec.resources!
  const requests: Amounts = { ...own.requests }
  for (const [name, amount] of Object.entries(aggregateResources(spec, 'requests')))
    if (isPodLevelResource(name) && isOvercommitAllowed(name)) requests[name] ??= amount
  for (const [name, amount] of Object.entries(own.limits ?? {})) if (isPodLevelResource(name)) requests[name] ??= amount
  if (!isEmpty(requests)) own.requests = requests
}

/** A limit of the pod follows from those of its containers only when all of them have one. */
function completeLimits(spec: PodSpec): void {
  const own = spec.resources!
  const open = Object.keys(own.requests ?? {}).filter(
    (name) =>
      isPodLevelResource(name) &&
      own.limits?.[name] === undefined &&
      !someContainer(spec, ({ resources }) => resources?.limits?.[name] === undefined),
  )
  if (open.length === 0) return
  const total = aggregateResources(spec, 'limits')
  const limits: Amounts = { ...own.limits }
  for (const name of open) {
    const amount = total[name]
    if (amount === undefined) continue
    const request = own.requests?.[name] ?? '0'
    limits[name] = compareQuantities(request, amount) > 0 ? request : amount
  }
  own.limits = limits
}
