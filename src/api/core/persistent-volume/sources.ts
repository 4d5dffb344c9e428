/** Checks the source of a PersistentVolume; many are the same as in pods, some name secrets of another namespace. */
import type { PersistentVolumeSpec, SecretReference, Volume } from '#api/core/v1.gen.ts'
import { checkDnsLabel, checkDnsSubdomain, checkEnum, checkPresent, checkText } from '#api/validation.ts'
import { type FieldError, forbiddenField, invalidValue, required } from '#machinery/field-error.ts'
import { isDns1123Label } from '#machinery/validation/names.ts'
import { checkNoBacksteps } from '../pod-spec/paths.ts'
import { type StorageSource, validateCsiDriverName, validateStorageVolume } from '../pod-spec/storage-volumes.ts'

type Field = keyof PersistentVolumeSpec

/** In upstream's order, with the name that its messages use for a second source and for the fields below. */
export const SOURCES: readonly (readonly [field: Field, extraName?: string, pathName?: string])[] = [
  ['hostPath'],
  ['gcePersistentDisk', 'gcePersistentDisk', 'persistentDisk'],
  ['awsElasticBlockStore'],
  ['glusterfs'],
  ['flocker'],
  ['nfs'],
  ['rbd'],
  ['quobyte'],
  ['cephfs', 'cephFS', 'cephfs'],
  ['iscsi'],
  ['cinder'],
  ['fc'],
  ['flexVolume'],
  ['azureFile'],
  ['vsphereVolume'],
  ['photonPersistentDisk'],
  ['portworxVolume'],
  ['azureDisk'],
  ['scaleIO'],
  ['local'],
  ['storageos'],
  ['csi'],
]

/** The source alone, for comparing. */
export function sourceOf(spec: PersistentVolumeSpec): Partial<PersistentVolumeSpec> {
  return Object.fromEntries(
    SOURCES.filter(([field]) => spec[field] !== undefined).map(([field]) => [field, spec[field]]),
  )
}

export type SourcedVolume = { readonly name: string; readonly spec: PersistentVolumeSpec; readonly path: string }

export function validateSources(errors: FieldError[], volume: SourcedVolume): void {
  const { spec, path } = volume
  let count = 0
  for (const [field, extraName = field, pathName = field] of SOURCES) {
    if (spec[field] === undefined) continue
    // Upstream does not mind flexVolume beside others.
    if (count > 0 && field !== 'flexVolume')
      errors.push(forbiddenField(`${path}.${extraName}`, 'may not specify more than 1 volume type'))
    else {
      count++
      validateSource(errors, volume, { field, path: `${path}.${pathName}` })
    }
  }
  if (count === 0) errors.push(required(path, 'must specify a volume type'))
}

type Place = { readonly field: Field; readonly path: string }

const HOST_PATH_TYPES = [
  '',
  'BlockDevice',
  'CharDevice',
  'Directory',
  'DirectoryOrCreate',
  'File',
  'FileOrCreate',
  'Socket',
]
const ISCSI_NAME_LENGTH_MAX = 64

function validateSource(errors: FieldError[], { name, spec }: SourcedVolume, { field, path }: Place): void {
  const { hostPath, local, csi, azureFile, iscsi, storageos, glusterfs } = spec
  switch (field) {
    case 'hostPath':
      if (checkPresent(errors, `${path}.path`, hostPath!.path)) checkNoBacksteps(errors, `${path}.path`, hostPath!.path)
      return checkEnum(errors, `${path}.type`, hostPath!.type, HOST_PATH_TYPES)
    case 'local':
      if (checkPresent(errors, `${path}.path`, local!.path)) checkNoBacksteps(errors, `${path}.path`, local!.path)
      return
    case 'csi':
      return validateCsi(errors, path, csi!)
    case 'azureFile':
      checkPresent(errors, `${path}.secretName`, azureFile!.secretName)
      checkPresent(errors, `${path}.shareName`, azureFile!.shareName)
      if (azureFile!.secretNamespace === '') errors.push(required(`${path}.secretNamespace`))
      return
    case 'storageos':
      if (checkPresent(errors, `${path}.volumeName`, storageos!.volumeName))
        checkDnsLabel(errors, `${path}.volumeName`, storageos!.volumeName!)
      if (storageos!.volumeNamespace) checkDnsLabel(errors, `${path}.volumeNamespace`, storageos!.volumeNamespace)
      return checkReference(errors, `${path}.secretRef`, storageos!.secretRef)
    case 'cinder':
      checkPresent(errors, `${path}.volumeID`, spec.cinder!.volumeID)
      return checkReference(errors, `${path}.secretRef`, spec.cinder!.secretRef)
    default:
      // The fields that are checked there are the same; secrets of other namespaces are not looked at.
      validateStorageVolume(errors, spec as unknown as Volume, { path, source: field as StorageSource })
  }
  if (iscsi !== undefined && field === 'iscsi') validateIscsiExtras(errors, path, iscsi, name)
  if (glusterfs?.endpointsNamespace !== undefined && field === 'glusterfs')
    validateEndpointsNamespace(errors, `${path}.endpointsNamespace`, glusterfs.endpointsNamespace)
}

function validateIscsiExtras(
  errors: FieldError[],
  path: string,
  iscsi: NonNullable<PersistentVolumeSpec['iscsi']>,
  volumeName: string,
): void {
  const { targetPortal = '', initiatorName, secretRef } = iscsi
  const text =
    'Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.'
  if (initiatorName !== undefined && `${volumeName}:${targetPortal}`.length > ISCSI_NAME_LENGTH_MAX)
    errors.push(invalidValue(`${path}.targetportal`, targetPortal, text))
  if (secretRef !== undefined) checkPresent(errors, `${path}.secretRef.name`, secretRef.name)
}

function validateEndpointsNamespace(errors: FieldError[], path: string, namespace: string): void {
  if (namespace === '')
    errors.push(invalidValue(path, namespace, 'if the endpointnamespace is set, it must be a valid namespace name'))
  else checkText(errors, path, namespace, isDns1123Label)
}

function checkReference(errors: FieldError[], path: string, reference: Partial<SecretReference> | undefined): void {
  if (reference === undefined) return
  checkPresent(errors, `${path}.name`, reference.name)
  checkPresent(errors, `${path}.namespace`, reference.namespace)
}

const CSI_SECRETS = [
  'controllerPublishSecretRef',
  'controllerExpandSecretRef',
  'nodePublishSecretRef',
  'nodeExpandSecretRef',
] as const

function validateCsi(errors: FieldError[], path: string, csi: NonNullable<PersistentVolumeSpec['csi']>): void {
  validateCsiDriverName(errors, csi.driver ?? '', `${path}.driver`)
  checkPresent(errors, `${path}.volumeHandle`, csi.volumeHandle)
  for (const field of CSI_SECRETS) {
    const reference = csi[field]
    if (reference === undefined) continue
    const { name, namespace } = reference
    if (checkPresent(errors, `${path}.${field}.name`, name)) checkDnsSubdomain(errors, `${path}.${field}.name`, name)
    if (checkPresent(errors, `${path}.${field}.namespace`, namespace))
      checkDnsLabel(errors, `${path}.${field}.namespace`, namespace)
  }
}
