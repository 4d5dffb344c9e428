/** Checks PersistentVolumes: exactly one source, and no change of it. */
import type { FeatureGates } from '#base/feature-gates.ts'
import type {
  NodeSelectorRequirement,
  PersistentVolume,
  PersistentVolumeSpec,
  VolumeNodeAffinity,
} from '#api/core/v1.gen.ts'
import { asGo, diffAsGo } from '#api/go-values/show-as-go.ts'
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
  validateCapacity(errors, spec)
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

function validateCapacity(errors: FieldError[], { capacity }: PersistentVolumeSpec): void {
  const path = 'spec.capacity'
  const names = Object.keys(capacity ?? {})
  if (names.length === 0) errors.push(required(path))
  if (names.length !== 1 || names[0] !== 'storage') errors.push(notSupported(path, capacity, ['storage']))
  for (const [name, amount] of Object.entries(capacity ?? {})) {
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

export function validateVolumeUpdate(
  volume: PersistentVolume,
  old: PersistentVolume,
  features: FeatureGates,
): FieldError[] {
  const errors = validateVolume(volume, old)
  const { spec } = volume
  const [source, before] = [withoutNewExpandSecret(volume, old), sourceOf(old.spec)]
  if (!isSemanticallyEqual(source, before)) {
    const difference = diffAsGo('io.k8s.api.core.v1.PersistentVolumeSource', before, source)
    const text = `spec.persistentvolumesource is immutable after creation\n${difference}`
    errors.push(forbiddenField('spec.persistentvolumesource', text))
  }
  if (spec.volumeMode !== old.spec.volumeMode)
    errors.push(invalidValue('volumeMode', spec.volumeMode, 'field is immutable'))
  const isFixed = old.spec.nodeAffinity !== undefined && !features.isEnabled('MutablePVNodeAffinity')
  if (isFixed && !isSameAffinity(spec.nodeAffinity, old.spec.nodeAffinity)) {
    const affinity = asGo('io.k8s.api.core.v1.VolumeNodeAffinity', spec.nodeAffinity)
    const text = 'field is immutable, except for updating from beta label to GA'
    errors.push(invalidValue('nodeAffinity', affinity, text))
  }
  if (old.spec.volumeAttributesClassName !== undefined && spec.volumeAttributesClassName === undefined)
    errors.push(forbiddenField('spec.volumeAttributesClassName', 'update from non-nil value to nil is forbidden'))
  return errors
}

/** Labels of nodes that have a newer name, which may take the place of the old one. */
const NEW_LABELS: Readonly<Record<string, string>> = {
  'failure-domain.beta.kubernetes.io/zone': 'topology.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region': 'topology.kubernetes.io/region',
  'beta.kubernetes.io/os': 'kubernetes.io/os',
  'beta.kubernetes.io/arch': 'kubernetes.io/arch',
  'beta.kubernetes.io/instance-type': 'node.kubernetes.io/instance-type',
}

function isSameAffinity(affinity: VolumeNodeAffinity | undefined, old: VolumeNodeAffinity | undefined): boolean {
  if (affinity === undefined || old === undefined) return affinity === old
  const [terms, before] = [affinity, old].map(({ required }) => required?.nodeSelectorTerms ?? [])
  const renamed = before!.map((term, i) => ({
    ...term,
    ...(term.matchExpressions && {
      matchExpressions: withNewLabels(term.matchExpressions, terms![i]?.matchExpressions ?? []),
    }),
    ...(term.matchFields && { matchFields: withNewLabels(term.matchFields, terms![i]?.matchFields ?? []) }),
  }))
  const isSelecting = (affinity.required === undefined) === (old.required === undefined)
  return isSelecting && isSemanticallyEqual(terms, renamed)
}

/** The old requirements, by the new name of their label where the new ones use it. */
function withNewLabels(
  old: readonly NodeSelectorRequirement[],
  now: readonly NodeSelectorRequirement[],
): NodeSelectorRequirement[] {
  return old.map((requirement, i) => {
    const { key } = now[i] ?? requirement
    return NEW_LABELS[requirement.key] === key ? { ...requirement, key } : requirement
  })
}

/** The one part of a source that may be added later. */
function withoutNewExpandSecret({ spec }: PersistentVolume, old: PersistentVolume): Partial<PersistentVolumeSpec> {
  const source = sourceOf(spec)
  if (source.csi === undefined || old.spec.csi === undefined) return source
  if (old.spec.csi.controllerExpandSecretRef !== undefined) return source
  const { controllerExpandSecretRef: _, ...csi } = source.csi
  return { ...source, csi }
}
