/** Checks PersistentVolumes: exactly one source, and no change of it. */
import type { PersistentVolume, PersistentVolumeSpec } from '#api/core/v1.gen.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import { checkDnsSubdomain, checkEnum, NOT_POSITIVE } from '#api/validation.ts'
import { type FieldError, forbiddenField, invalidValue, notSupported, required } from '#machinery/field-error.ts'
import { compareQuantities, formatQuantity } from '#machinery/quantity.ts'
import { isValidLabelValue } from '#machinery/validation/names.ts'
import { validateBasicAmount } from '../persistent-volume-claim/validation.ts'
import { validateNodeSelector } from '../pod-spec/affinity.ts'
import { validateAccessModes, VOLUME_MODES } from '../pod-spec/claim-template.ts'
import { SOURCES, sourceOf, validateSources } from './sources.ts'

const MOUNT_OPTIONS = 'volume.beta.kubernetes.io/mount-options'
const RECLAIM_POLICIES = ['Delete', 'Recycle', 'Retain']
/** Sources that are mounted by Kubernetes itself. */
const MOUNTED_SOURCES: readonly (keyof PersistentVolumeSpec)[] = [
  'gcePersistentDisk',
  'awsElasticBlockStore',
  'glusterfs',
  'nfs',
  'rbd',
  'quobyte',
  'iscsi',
  'cinder',
  'cephfs',
  'azureFile',
  'vsphereVolume',
  'azureDisk',
  'photonPersistentDisk',
]

export function validateVolume(volume: PersistentVolume, old: PersistentVolume | null): FieldError[] {
  const errors: FieldError[] = []
  const { metadata, spec } = volume
  if ((spec.accessModes ?? []).length === 0) errors.push(required('spec.accessModes'))
  validateAccessModes(errors, spec.accessModes ?? [], 'spec.accessModes')
  validateCapacity(errors, spec.capacity ?? {})
  checkEnum(errors, 'spec.persistentVolumeReclaimPolicy', spec.persistentVolumeReclaimPolicy, RECLAIM_POLICIES)
  validateAffinity(errors, spec, old)
  validateSources(errors, { name: metadata.name ?? '', spec, path: 'spec' })
  if (spec.local !== undefined && isFirstSource(spec, 'local') && spec.nodeAffinity === undefined)
    errors.push(required('spec.nodeAffinity', 'Local volume requires node affinity'))
  const isRoot = spec.hostPath !== undefined && /^(\/+\.?)+$/.test(spec.hostPath.path ?? '')
  if (isRoot && spec.persistentVolumeReclaimPolicy === 'Recycle')
    errors.push(
      forbiddenField('spec.persistentVolumeReclaimPolicy', "may not be 'recycle' for a hostPath mount of '/'"),
    )
  if (spec.storageClassName) checkDnsSubdomain(errors, 'spec.storageClassName', spec.storageClassName)
  checkEnum(errors, 'spec.volumeMode', spec.volumeMode, VOLUME_MODES)
  validateAttributesClass(errors, spec)
  const isMounted = MOUNTED_SOURCES.some((source) => spec[source] !== undefined)
  if (!isMounted && metadata.annotations?.[MOUNT_OPTIONS] !== undefined)
    errors.push(
      forbiddenField(`metadata.annotations.${MOUNT_OPTIONS}`, 'may not specify mount options for this volume type'),
    )
  return errors
}

function isFirstSource(spec: PersistentVolumeSpec, source: keyof PersistentVolumeSpec): boolean {
  return SOURCES.find(([field]) => spec[field] !== undefined)?.[0] === source
}

function validateCapacity(errors: FieldError[], capacity: Readonly<Record<string, string>>): void {
  const path = 'spec.capacity'
  const names = Object.keys(capacity)
  if (names.length === 0) errors.push(required(path))
  if (capacity['storage'] === undefined || names.length > 1)
    errors.push(notSupported(path, names.length === 0 ? null : capacity, ['storage']))
  for (const [name, amount] of Object.entries(capacity)) {
    validateBasicAmount(errors, `${path}[${name}]`, amount)
    if (compareQuantities(amount, '0') <= 0)
      errors.push(invalidValue(`${path}[${name}]`, formatQuantity(amount), NOT_POSITIVE))
  }
}

function validateAffinity(
  errors: FieldError[],
  { nodeAffinity }: PersistentVolumeSpec,
  old: PersistentVolume | null,
): void {
  if (nodeAffinity === undefined) return
  const path = 'spec.nodeAffinity.required'
  if (nodeAffinity.required === undefined) errors.push(required(path, 'must specify required node constraints'))
  else validateNodeSelector(errors, nodeAffinity.required, { path, allowInvalidValues: hasInvalidValues(old) })
}

/** Old objects may hold values that are no label values: they must stay editable. */
function hasInvalidValues(old: PersistentVolume | null): boolean {
  return (old?.spec.nodeAffinity?.required?.nodeSelectorTerms ?? []).some(({ matchExpressions = [] }) =>
    matchExpressions.some(({ values = [] }) => values.some((value) => isValidLabelValue(value).length > 0)),
  )
}

function validateAttributesClass(errors: FieldError[], spec: PersistentVolumeSpec): void {
  const path = 'spec.volumeAttributesClassName'
  const name = spec.volumeAttributesClassName
  if (name === undefined) return
  if (name === '') errors.push(required(path, 'an empty string is disallowed'))
  else checkDnsSubdomain(errors, path, name)
  if (spec.csi === undefined)
    errors.push(required('spec.csi', 'has to be specified when using volumeAttributesClassName'))
}

export function validateVolumeUpdate(volume: PersistentVolume, old: PersistentVolume): FieldError[] {
  const errors = validateVolume(volume, old)
  const { spec } = volume
  if (!isSemanticallyEqual(withoutNewExpandSecret(volume, old), sourceOf(old.spec)))
    errors.push(
      forbiddenField('spec.persistentvolumesource', 'spec.persistentvolumesource is immutable after creation'),
    )
  if (spec.volumeMode !== old.spec.volumeMode)
    errors.push(invalidValue('volumeMode', spec.volumeMode, 'field is immutable'))
  if (old.spec.nodeAffinity !== undefined && !isSemanticallyEqual(spec.nodeAffinity, old.spec.nodeAffinity))
    errors.push(invalidValue('nodeAffinity', spec.nodeAffinity, 'field is immutable'))
  if (old.spec.volumeAttributesClassName !== undefined && spec.volumeAttributesClassName === undefined)
    errors.push(forbiddenField('spec.volumeAttributesClassName', 'update from non-nil value to nil is forbidden'))
  return errors
}

/** The one part of a source that may be added later. */
function withoutNewExpandSecret({ spec }: PersistentVolume, old: PersistentVolume): Partial<PersistentVolumeSpec> {
  const source = sourceOf(spec)
  if (source.csi === undefined || old.spec.csi === undefined) return source
  if (old.spec.csi.controllerExpandSecretRef !== undefined) return source
  const { controllerExpandSecretRef: _, ...csi } = source.csi
  return { ...source, csi }
}
