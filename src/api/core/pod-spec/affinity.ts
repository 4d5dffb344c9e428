/** Checks where a pod wants to run: node affinity, pod affinity and anti-affinity. */
import type {
  Affinity,
  NodeAffinity,
  NodeSelector,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodAffinity,
  PodAffinityTerm,
  PodAntiAffinity,
} from '#api/core/v1.gen.ts'
import { checkDnsLabel, checkLabelName, checkLabelSelector, checkText } from '#api/validation.ts'
import { type FieldError, forbiddenField, invalidValue, required } from '#machinery/field-error.ts'
import { isDns1123Subdomain, isValidLabelValue } from '#machinery/validation/names.ts'
import { validateMatchLabelKeys } from './match-label-keys.ts'

export type AffinityOptions = {
  readonly path: string
  /** Old objects may hold label values that are no valid ones. */
  readonly allowInvalidSelectorValues: boolean
  readonly allowInvalidNodeValues: boolean
}

export function validateAffinity(errors: FieldError[], affinity: Affinity | undefined, options: AffinityOptions): void {
  if (affinity === undefined) return
  const { path } = options
  const { nodeAffinity, podAffinity, podAntiAffinity } = affinity
  if (nodeAffinity) validateNodeAffinity(errors, nodeAffinity, { ...options, path: `${path}.nodeAffinity` })
  if (podAffinity) validatePodAffinity(errors, podAffinity, { ...options, path: `${path}.podAffinity` })
  if (podAntiAffinity) validatePodAffinity(errors, podAntiAffinity, { ...options, path: `${path}.podAntiAffinity` })
}

const REQUIRED = 'requiredDuringSchedulingIgnoredDuringExecution'
const PREFERRED = 'preferredDuringSchedulingIgnoredDuringExecution'

function validateNodeAffinity(errors: FieldError[], affinity: NodeAffinity, options: AffinityOptions): void {
  const { path, allowInvalidNodeValues } = options
  const selector = affinity[REQUIRED]
  if (selector)
    validateNodeSelector(errors, selector, { path: `${path}.${REQUIRED}`, allowInvalidValues: allowInvalidNodeValues })
  for (const [i, { weight, preference }] of (affinity[PREFERRED] ?? []).entries()) {
    const place = `${path}.${PREFERRED}[${i}]`
    checkWeight(errors, `${place}.weight`, weight)
    validateNodeSelectorTerm(errors, preference ?? {}, { path: `${place}.preference`, allowInvalidValues: true })
  }
}

function checkWeight(errors: FieldError[], path: string, weight = 0): void {
  if (weight <= 0 || weight > 100) errors.push(invalidValue(path, weight, 'must be in the range 1-100'))
}

export type NodeSelectorPlace = { readonly path: string; readonly allowInvalidValues: boolean }

export function validateNodeSelector(errors: FieldError[], selector: NodeSelector, place: NodeSelectorPlace): void {
  const path = `${place.path}.nodeSelectorTerms`
  const terms = selector.nodeSelectorTerms ?? []
  if (terms.length === 0) errors.push(required(path, 'must have at least one node selector term'))
  for (const [i, term] of terms.entries()) validateNodeSelectorTerm(errors, term, { ...place, path: `${path}[${i}]` })
}

export function validateNodeSelectorTerm(
  errors: FieldError[],
  { matchExpressions = [], matchFields = [] }: NodeSelectorTerm,
  place: NodeSelectorPlace,
): void {
  for (const [i, requirement] of matchExpressions.entries())
    validateLabelRequirement(errors, requirement, { ...place, path: `${place.path}.matchExpressions[${i}]` })
  for (const [i, requirement] of matchFields.entries())
    validateFieldRequirement(errors, requirement, `${place.path}.matchFields[${i}]`)
}

function validateLabelRequirement(
  errors: FieldError[],
  { key = '', operator = '', values = [] }: NodeSelectorRequirement,
  { path, allowInvalidValues }: NodeSelectorPlace,
): void {
  const place = `${path}.values`
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length === 0) errors.push(required(place, "must be specified when `operator` is 'In' or 'NotIn'"))
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (values.length > 0)
      errors.push(forbiddenField(place, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"))
  } else if (operator === 'Gt' || operator === 'Lt') {
    if (values.length !== 1)
      errors.push(required(place, "must be specified single value when `operator` is 'Lt' or 'Gt'"))
  } else errors.push(invalidValue(`${path}.operator`, operator, 'not a valid selector operator'))
  checkLabelName(errors, `${path}.key`, key)
  if (allowInvalidValues) return
  for (const [i, value] of values.entries()) checkText(errors, `${place}[${i}]`, value, isValidLabelValue)
}

function validateFieldRequirement(
  errors: FieldError[],
  { key = '', operator = '', values = [] }: NodeSelectorRequirement,
  path: string,
): void {
  if (operator !== 'In' && operator !== 'NotIn')
    errors.push(invalidValue(`${path}.operator`, operator, 'not a valid selector operator'))
  else if (values.length !== 1)
    errors.push(
      required(`${path}.values`, "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"),
    )
  if (key !== 'metadata.name') errors.push(invalidValue(`${path}.key`, key, 'not a valid field selector key'))
  else for (const [i, value] of values.entries()) checkText(errors, `${path}.values[${i}]`, value, isDns1123Subdomain)
}

function validatePodAffinity(
  errors: FieldError[],
  affinity: PodAffinity | PodAntiAffinity,
  options: AffinityOptions,
): void {
  const { path } = options
  for (const [i, term] of (affinity[REQUIRED] ?? []).entries())
    validatePodAffinityTerm(errors, term, { ...options, path: `${path}.${REQUIRED}[${i}]` })
  for (const [i, { weight, podAffinityTerm }] of (affinity[PREFERRED] ?? []).entries()) {
    const place = `${path}.${PREFERRED}[${i}]`
    checkWeight(errors, `${place}.weight`, weight)
    validatePodAffinityTerm(errors, podAffinityTerm ?? {}, { ...options, path: `${place}.podAffinityTerm` })
  }
}

function validatePodAffinityTerm(
  errors: FieldError[],
  term: Partial<PodAffinityTerm>,
  { path, allowInvalidSelectorValues }: AffinityOptions,
): void {
  const selectorOptions = { allowInvalidLabelValue: allowInvalidSelectorValues }
  checkLabelSelector(errors, `${path}.labelSelector`, term.labelSelector, selectorOptions)
  checkLabelSelector(errors, `${path}.namespaceSelector`, term.namespaceSelector, selectorOptions)
  for (const namespace of term.namespaces ?? []) checkDnsLabel(errors, `${path}.namespace`, namespace)
  validateMatchLabelKeys(errors, term, path)
  const { topologyKey = '' } = term
  if (topologyKey === '') errors.push(required(`${path}.topologyKey`, 'can not be empty'))
  checkLabelName(errors, `${path}.topologyKey`, topologyKey)
}
