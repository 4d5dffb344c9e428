/** Checks claims for volumes: those of a pod's ephemeral volumes, and the spec that all claims share. */
import type {
  EphemeralVolumeSource,
  PersistentVolumeClaimSpec,
  TypedLocalObjectReference,
  TypedObjectReference,
} from '#api/core/v1.gen.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import {
  checkAnnotations,
  checkDnsSubdomain,
  checkEnum,
  checkLabels,
  checkLabelSelector,
  checkPresent,
  checkText,
  NOT_POSITIVE,
} from '#api/validation.ts'
import {
  type FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
  WrittenValue,
} from '#machinery/field-error.ts'
import type { TemplateMeta } from '#machinery/meta/template.ts'
import { compareQuantities } from '#machinery/quantity.ts'
import { isDns1123Label } from '#machinery/validation/names.ts'

export const ACCESS_MODES: readonly string[] = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod']
export const VOLUME_MODES: readonly string[] = ['Block', 'Filesystem']

export type ClaimSpecOptions = {
  readonly path: string
  /** Old objects may hold these. */
  readonly allowInvalidSelectorValues?: boolean
  readonly allowInvalidApiGroup?: boolean
}

export function validateEphemeralVolume(errors: FieldError[], source: EphemeralVolumeSource, path: string): void {
  const template = source.volumeClaimTemplate
  const place = `${path}.volumeClaimTemplate`
  if (template === undefined) {
    errors.push(required(place))
    return
  }
  validateTemplateMeta(errors, template.metadata ?? {}, `${place}.metadata`)
  validateClaimSpec(errors, template.spec ?? {}, { path: `${place}.spec` })
}

/** A template gives labels and annotations, nothing else. */
function validateTemplateMeta(errors: FieldError[], meta: TemplateMeta, path: string): void {
  checkAnnotations(errors, `${path}.annotations`, meta.annotations)
  checkLabels(errors, `${path}.labels`, meta.labels)
  for (const [field, value] of Object.entries(meta)) {
    if (field === 'labels' || field === 'annotations' || isEmpty(value)) continue
    errors.push(forbiddenField(`${path}.${GO_NAMES[field] ?? field}`, 'cannot be set'))
  }
}

/** Upstream derives the path from Go's field name. */
const GO_NAMES: Readonly<Record<string, string>> = { uid: 'uID' }

function isEmpty(value: unknown): boolean {
  return value === undefined || value === '' || value === 0 || (Array.isArray(value) && value.length === 0)
}

export function validateClaimSpec(
  errors: FieldError[],
  spec: PersistentVolumeClaimSpec,
  options: ClaimSpecOptions,
): void {
  const { path, allowInvalidApiGroup = false, allowInvalidSelectorValues = false } = options
  const { accessModes = [], storageClassName = '', volumeAttributesClassName = '' } = spec
  if (accessModes.length === 0) errors.push(required(`${path}.accessModes`, 'at least 1 access mode is required'))
  checkLabelSelector(errors, `${path}.selector`, spec.selector, { allowInvalidLabelValue: allowInvalidSelectorValues })
  validateAccessModes(errors, accessModes, `${path}.accessModes`)
  validateStorage(errors, spec.resources?.requests?.['storage'], `${path}.resources[storage]`)
  if (storageClassName !== '') checkDnsSubdomain(errors, `${path}.storageClassName`, storageClassName)
  checkEnum(errors, `${path}.volumeMode`, spec.volumeMode, VOLUME_MODES)
  validateDataSources(errors, spec, { path, allowInvalidApiGroup })
  if (volumeAttributesClassName !== '')
    checkDnsSubdomain(errors, `${path}.volumeAttributesClassName`, volumeAttributesClassName)
}

export function validateAccessModes(errors: FieldError[], modes: readonly string[], path: string): void {
  for (const mode of modes) if (!ACCESS_MODES.includes(mode)) errors.push(notSupported(path, mode, ACCESS_MODES))
  const hasOther = modes.some((mode) => mode !== 'ReadWriteOncePod' && ACCESS_MODES.includes(mode))
  if (modes.includes('ReadWriteOncePod') && hasOther)
    errors.push(forbiddenField(path, 'may not use ReadWriteOncePod with other access modes'))
}

function validateStorage(errors: FieldError[], storage: string | undefined, path: string): void {
  if (storage === undefined) errors.push(required(path))
  else if (compareQuantities(storage, '0') <= 0) errors.push(invalidValue(path, storage, NOT_POSITIVE))
}

type SourcesPlace = { readonly path: string; readonly allowInvalidApiGroup: boolean }

function validateDataSources(errors: FieldError[], spec: PersistentVolumeClaimSpec, at: SourcesPlace): void {
  const { dataSource, dataSourceRef } = spec
  if (dataSource) validateDataSource(errors, dataSource, { ...at, path: `${at.path}.dataSource` })
  if (dataSourceRef) validateDataSource(errors, dataSourceRef, { ...at, path: `${at.path}.dataSourceRef` })
  if (!dataSource || !dataSourceRef) return
  // Upstream shows the path object, which has no content as JSON.
  const bad = (text: string): void => void errors.push(invalidValue(at.path, new WrittenValue('{}'), text))
  if (dataSourceRef.namespace) bad('may not be specified when dataSourceRef.namespace is specified')
  else if (!isSameSource(dataSource, dataSourceRef)) bad('must match dataSourceRef')
}

function isSameSource(source: TypedLocalObjectReference, reference: TypedObjectReference): boolean {
  const part = ({ apiGroup, kind, name }: TypedLocalObjectReference): unknown => ({ apiGroup, kind, name })
  return isSemanticallyEqual(part(source), part(reference))
}

function validateDataSource(
  errors: FieldError[],
  source: TypedLocalObjectReference | TypedObjectReference,
  { path, allowInvalidApiGroup }: SourcesPlace,
): void {
  const { kind = '', apiGroup = '' } = source
  checkPresent(errors, `${path}.name`, source.name)
  checkPresent(errors, `${path}.kind`, kind)
  if (apiGroup === '' && kind !== 'PersistentVolumeClaim')
    errors.push(invalidValue(path, kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup"))
  if (apiGroup !== '' && !allowInvalidApiGroup) checkDnsSubdomain(errors, `${path}.apiGroup`, apiGroup)
  if ('namespace' in source && source.namespace)
    checkText(errors, `${path}.namespace`, source.namespace, isDns1123Label)
}
