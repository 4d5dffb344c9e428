/** Checks Nodes. */
import type { Node, Taint } from '#api/core/v1.gen.ts'
import { checkCidr } from '#api/cidr.ts'
import { checkPositive, checkLabelName, checkRequiredEnum } from '#api/validation.ts'
import { duplicate, type FieldError, forbiddenField, invalidValue } from '#machinery/field-error.ts'
import { DNS_SUBDOMAIN_LENGTH_MAX, isValidLabelValue } from '#machinery/validation/names.ts'
import { validateResourceAmount } from '../pod-spec/resources.ts'
import { TAINT_EFFECTS } from '../pod-spec/tolerations.ts'

/** Upstream writes taints of nodes under their metadata. */
const TAINTS = 'metadata.taints'
const FEATURE_NAME = /^[A-Z][A-Za-z0-9]*(\/[A-Za-z0-9]+)*$/

export function validateNode(node: Node): FieldError[] {
  const errors: FieldError[] = []
  validateTaints(errors, node.spec.taints ?? [])
  validateAmounts(errors, node)
  const swap = node.status?.nodeInfo?.swap?.capacity
  if (swap !== undefined) checkPositive(errors, 'metadata.nodeSwapStatus.capacity', swap)
  validateFeatures(errors, node.status?.declaredFeatures ?? [])
  validatePodRanges(errors, node.spec.podCIDRs ?? [])
  return errors
}

function validateTaints(errors: FieldError[], taints: readonly Taint[]): void {
  const seen = new Set<string>()
  for (const [i, taint] of taints.entries()) {
    const path = `${TAINTS}[${i}]`
    checkLabelName(errors, `${path}.key`, taint.key ?? '')
    const problems = isValidLabelValue(taint.value ?? '')
    if (problems.length > 0) errors.push(invalidValue(`${path}.value`, taint.value, problems.join(';')))
    checkRequiredEnum(errors, `${path}.effect`, taint.effect, TAINT_EFFECTS)
    const id = `${taint.effect}/${taint.key}`
    if (seen.has(id)) {
      const { type, field, message } = duplicate(path, taint)
      errors.push({ type, field, message: `${message}: taints must be unique by key and effect pair` })
    }
    seen.add(id)
  }
}

function validateAmounts(errors: FieldError[], { status = {} }: Node): void {
  for (const list of ['capacity', 'allocatable'] as const)
    for (const [name, amount] of Object.entries(status[list] ?? {}))
      validateResourceAmount(errors, name, amount, `status.${list}.${name}`)
}

function validateFeatures(errors: FieldError[], features: readonly string[]): void {
  for (const [i, feature] of features.entries()) {
    const path = `status.declaredFeatures[${i}]`
    const quoted = JSON.stringify(feature)
    if (feature.length > DNS_SUBDOMAIN_LENGTH_MAX)
      errors.push(invalidValue(path, feature, `invalid feature name ${quoted}: must be no more than 253 characters`))
    else if (!FEATURE_NAME.test(feature)) {
      const rule =
        "must start with an UpperCamelCase segment, with subsequent segments separated by '/' (e.g., MyFeature or MyFeature/mySubFeature), and contain only alphanumeric characters and slashes"
      errors.push(invalidValue(path, feature, `invalid feature name ${quoted}: ${rule}`))
    }
    const previous = features[i - 1]
    if (previous === feature) errors.push(duplicate(path, feature))
    else if (previous !== undefined && previous > feature)
      errors.push(invalidValue(path, feature, 'list must be sorted alphabetically'))
  }
}

function validatePodRanges(errors: FieldError[], ranges: readonly string[]): void {
  for (const [i, range] of ranges.entries()) checkCidr(errors, `spec.podCIDRs[${i}]`, range)
  const families = new Set(ranges.map((range) => (range.includes(':') ? 6 : 4)))
  if (ranges.length > 1 && (families.size < 2 || ranges.length > 2))
    errors.push(invalidValue('spec.podCIDRs', ranges, 'may specify no more than one CIDR for each IP family'))
}

/** What changes of a node are refused, with all other checks that updates of the status get as well. */
export function validateNodeUpdate(node: Node, old: Node): FieldError[] {
  const errors: FieldError[] = []
  validateAmounts(errors, node)
  validateFeatures(errors, node.status?.declaredFeatures ?? [])
  validateAddresses(errors, node)
  validateFixedFields(errors, node, old)
  validateTaints(errors, node.spec.taints ?? [])
  return errors
}

function validateAddresses(errors: FieldError[], { status = {} }: Node): void {
  const seen = new Set<string>()
  for (const [i, { type, address }] of (status.addresses ?? []).entries()) {
    const id = `${type} ${address}`
    if (seen.has(id)) errors.push(duplicate(`status.addresses[${i}]`, { type, address }))
    seen.add(id)
  }
}

function validateFixedFields(errors: FieldError[], { spec }: Node, { spec: old }: Node): void {
  const before = old.podCIDRs ?? []
  const now = spec.podCIDRs ?? []
  const isSame = before.length === now.length && before.every((range, i) => range === now[i])
  if (before.length > 0 && !isSame)
    errors.push(forbiddenField('spec.podCIDRs', 'node updates may not change podCIDR except from "" to valid'))
  if (old.providerID && spec.providerID !== old.providerID) {
    const verb = spec.providerID ? 'modified' : 'cleared'
    errors.push(invalidValue('spec.providerID', null, `field cannot be ${verb} once set`))
  }
  if ((spec.externalID ?? '') !== (old.externalID ?? ''))
    errors.push(forbiddenField('spec.externalID', 'may not be updated'))
}
