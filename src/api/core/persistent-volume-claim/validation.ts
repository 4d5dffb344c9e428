/** Checks PersistentVolumeClaims: a claim changes little once it is made, but it may grow. */
import type { PersistentVolumeClaim, PersistentVolumeClaimSpec } from '#api/core/v1.gen.ts'
import { diffAsGo } from '#api/go-values/show-as-go.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import { checkQualifiedName } from '#api/validation.ts'
import { type FieldError, forbiddenField, invalidValue, notSupported, required } from '#machinery/field-error.ts'
import { compareQuantities, quantityToNumber } from '#machinery/quantity.ts'
import { withFields } from '#machinery/schema/zero-values.ts'
import { isDns1123Subdomain } from '#machinery/validation/names.ts'
import { hasInvalidLabelValue } from '#machinery/validation/label-selector.ts'
import { validateClaimSpec } from '../pod-spec/claim-template.ts'
import { isNativeResource } from '../pod-spec/resource-names.ts'
import { validateResourceAmount } from '../pod-spec/resources.ts'
import { alignDataSources } from './data-sources.ts'

const CLASS_ANNOTATION = 'volume.beta.kubernetes.io/storage-class'
const RESIZE_STATUSES = [
  'ControllerResizeInProgress',
  'ControllerResizeInfeasible',
  'NodeResizePending',
  'NodeResizeInProgress',
  'NodeResizeInfeasible',
]
const IMMUTABLE_TEXT =
  'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims'

export function validateClaim({ spec }: PersistentVolumeClaim, old: PersistentVolumeClaim | null): FieldError[] {
  const errors: FieldError[] = []
  const oldGroups = [old?.spec.dataSource?.apiGroup, old?.spec.dataSourceRef?.apiGroup]
  validateClaimSpec(errors, spec, {
    path: 'spec',
    allowInvalidSelectorValues: hasInvalidLabelValue(old?.spec.selector),
    allowInvalidApiGroup: oldGroups.some((group) => group && isDns1123Subdomain(group).length > 0),
  })
  return errors
}

export function validateClaimUpdate(claim: PersistentVolumeClaim, old: PersistentVolumeClaim): FieldError[] {
  const errors = validateClaim(claim, old)
  const annotation = (object: PersistentVolumeClaim): string => object.metadata.annotations?.[CLASS_ANNOTATION] ?? ''
  if (!movesClassFromAnnotation(claim, old) && annotation(claim) !== annotation(old))
    errors.push(invalidValue(`metadata.annotations.${CLASS_ANNOTATION}`, annotation(claim), 'field is immutable'))
  const [now, before] = [fixedPart(claim, old), fixedPartOfOld(claim.spec, old.spec)]
  if (!isSemanticallyEqual(now, before)) {
    const difference = diffAsGo('io.k8s.api.core.v1.PersistentVolumeClaimSpec', before, now)
    errors.push(forbiddenField('spec', `${IMMUTABLE_TEXT}\n${difference}`))
  }
  validateSize(errors, claim, old)
  if (claim.spec.volumeMode !== old.spec.volumeMode)
    errors.push(invalidValue('volumeMode', claim.spec.volumeMode, 'field is immutable'))
  validateAttributesClass(errors, claim, old)
  return errors
}

/** The class may move from the old annotation into the spec, unchanged. */
function movesClassFromAnnotation(claim: PersistentVolumeClaim, old: PersistentVolumeClaim): boolean {
  const before = old.metadata.annotations?.[CLASS_ANNOTATION]
  const now = claim.metadata.annotations?.[CLASS_ANNOTATION]
  if (before === undefined || old.spec.storageClassName !== undefined) return false
  return claim.spec.storageClassName === before && (now === undefined || now === before)
}

/** The new spec, with what may change as it was before. */
function fixedPart(claim: PersistentVolumeClaim, old: PersistentVolumeClaim): PersistentVolumeClaimSpec {
  const spec = withFields(claim.spec, {})
  const annotation = old.metadata.annotations?.[CLASS_ANNOTATION]
  const givesClass = old.spec.storageClassName === undefined && spec.storageClassName !== undefined
  if (givesClass && (annotation === undefined || annotation === spec.storageClassName)) delete spec.storageClassName
  if (claim.status?.phase !== 'Bound') return spec
  restore(spec, old.spec, 'volumeAttributesClassName')
  const storage = old.spec.resources?.requests?.['storage']
  if (spec.resources?.requests !== undefined && storage !== undefined)
    spec.resources = withFields(spec.resources, { requests: { ...spec.resources.requests, storage } })
  return spec
}

function restore(
  spec: PersistentVolumeClaimSpec,
  old: PersistentVolumeClaimSpec,
  field: 'volumeName' | 'volumeAttributesClassName',
): void {
  const value = old[field]
  if (value === undefined) delete spec[field]
  else spec[field] = value
}

/** The old spec; the name of a volume may be given once. */
function fixedPartOfOld(now: PersistentVolumeClaimSpec, old: PersistentVolumeClaimSpec): PersistentVolumeClaimSpec {
  const copy: PersistentVolumeClaimSpec = { ...old }
  alignDataSources(copy)
  if (!copy.volumeName) restore(copy, now, 'volumeName')
  return copy
}

/** A claim may shrink again while its growth has not succeeded. */
function validateSize(errors: FieldError[], claim: PersistentVolumeClaim, old: PersistentVolumeClaim): void {
  const now = claim.spec.resources?.requests?.['storage'] ?? '0'
  const before = old.spec.resources?.requests?.['storage'] ?? '0'
  const actual = old.status?.capacity?.['storage'] ?? '0'
  if (compareQuantities(now, before) < 0 && compareQuantities(now, actual) <= 0)
    errors.push(forbiddenField('spec.resources.requests.storage', 'field can not be less than status.capacity'))
}

function validateAttributesClass(errors: FieldError[], claim: PersistentVolumeClaim, old: PersistentVolumeClaim): void {
  const name = claim.spec.volumeAttributesClassName
  if (name === old.spec.volumeAttributesClassName) return
  if (old.status?.currentVolumeAttributesClassName === undefined || name) return
  const what = name === undefined ? 'nil' : 'empty string'
  const text = `update to ${what} is forbidden when status.currentVolumeAttributesClassName is not nil`
  errors.push(forbiddenField('spec.volumeAttributesClassName', text))
}

export function validateClaimStatus(claim: PersistentVolumeClaim): FieldError[] {
  const { metadata, spec, status = {} } = claim
  const errors: FieldError[] = []
  if (!metadata.resourceVersion) errors.push(required('resourceVersion'))
  if ((spec.accessModes ?? []).length === 0) errors.push(required('Spec.accessModes'))
  for (const [name, amount] of Object.entries(status.capacity ?? {}))
    validateBasicAmount(errors, `status.capacity[${name}]`, amount)
  for (const [name, state] of Object.entries(status.allocatedResourceStatuses ?? {})) {
    const path = 'status.allocatedResourceStatuses'
    validateKey(errors, path, name)
    if (!RESIZE_STATUSES.includes(state)) errors.push(notSupported(path, name, RESIZE_STATUSES))
  }
  for (const [name, amount] of Object.entries(status.allocatedResources ?? {})) {
    const path = 'status.allocatedResources'
    if (!validateKey(errors, path, name)) continue
    if (validateBasicAmount(errors, `${path}[${name}]`, amount))
      validateResourceAmount(errors, 'storage', amount, `${path}[${name}]`)
  }
  return errors
}

function validateKey(errors: FieldError[], path: string, name: string): boolean {
  const before = errors.length
  checkQualifiedName(errors, path, name)
  if (errors.length === before && isNativeResource(name) && name !== 'storage')
    errors.push(notSupported(path, name, ['storage']))
  return errors.length === before
}

export function validateBasicAmount(errors: FieldError[], path: string, amount: string): boolean {
  if (compareQuantities(amount, '0') >= 0) return true
  errors.push(invalidValue(path, quantityToNumber(amount), 'must be a valid resource quantity'))
  return false
}
