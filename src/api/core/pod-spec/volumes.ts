/** Checks the volumes of a pod: one source each, unique names. */
import type { EmptyDirVolumeSource, HostPathVolumeSource, ISCSIVolumeSource, Volume } from '#api/core/v1.gen.ts'
import { checkDnsLabel, checkEnum, checkPresent, checkRequiredEnum } from '#api/validation.ts'
import { duplicate, type FieldError, forbiddenField, invalidValue, required } from '#machinery/field-error.ts'
import type { TemplateMeta } from '#machinery/meta/template.ts'
import { compareQuantities } from '#machinery/quantity.ts'
import { isDns1123Subdomain } from '#machinery/validation/names.ts'
import { validateEphemeralVolume } from './claim-template.ts'
import { validateConfigMapVolume, validateDownwardApiVolume, validateSecretVolume } from './file-volumes.ts'
import { PULL_POLICIES } from './pull-policy.ts'
import { checkNoBacksteps } from './paths.ts'
import { validateProjectedVolume } from './projected-volume.ts'
import { validateStorageVolume, type StorageSource } from './storage-volumes.ts'
import type { Volumes } from './volume-mounts.ts'

export type VolumeOptions = {
  readonly path: string
  /** Metadata of the pod; undefined in a template, whose pods have no name yet. */
  readonly meta: TemplateMeta | undefined
  /** Old objects may hold these. */
  readonly allowNonLocalTokenPath: boolean
  readonly allowEmptyImageReference: boolean
}

/** The volumes that are valid, by name: containers may mount only those. */
export function validateVolumes(errors: FieldError[], volumes: readonly Volume[], options: VolumeOptions): Volumes {
  const valid = new Map<string, Volume>()
  const podName = options.meta?.name ?? ''
  for (const [i, volume] of volumes.entries()) {
    const path = `${options.path}[${i}]`
    const before = errors.length
    validateSources(errors, volume, { ...options, path })
    const { name } = volume
    if (checkPresent(errors, `${path}.name`, name)) checkDnsLabel(errors, `${path}.name`, name)
    if (valid.has(name)) errors.push(duplicate(`${path}.name`, name))
    if (errors.length === before) valid.set(name, volume)
    const claimName = volume.persistentVolumeClaim?.claimName
    const isGenerated = volumes.some((other) => other.ephemeral && `${podName}-${other.name}` === claimName)
    if (podName !== '' && claimName !== undefined && isGenerated) {
      const text = 'must not reference a PVC that gets created for an ephemeral volume'
      errors.push(invalidValue(`${path}.persistentVolumeClaim.claimName`, claimName, text))
    }
  }
  return valid
}

/** In upstream's order: the first source is checked, each further one is refused. */
const SOURCES = [
  'emptyDir',
  'hostPath',
  'gitRepo',
  'gcePersistentDisk',
  'awsElasticBlockStore',
  'secret',
  'nfs',
  'iscsi',
  'glusterfs',
  'flocker',
  'persistentVolumeClaim',
  'rbd',
  'cinder',
  'cephfs',
  'quobyte',
  'downwardAPI',
  'fc',
  'flexVolume',
  'configMap',
  'azureFile',
  'vsphereVolume',
  'photonPersistentDisk',
  'portworxVolume',
  'azureDisk',
  'storageos',
  'projected',
  'scaleIO',
  'csi',
  'ephemeral',
  'image',
] as const satisfies readonly (keyof Volume)[]

type Source = (typeof SOURCES)[number]

/** Fields that upstream spells otherwise when it refuses a second source. */
const REFUSED_AS: Partial<Record<Source, string>> = { cephfs: 'cephFS', downwardAPI: 'downwarAPI' }
/** Fields that upstream spells otherwise inside a source. */
const CHECKED_AS: Partial<Record<Source, string>> = { gcePersistentDisk: 'persistentDisk' }

function validateSources(errors: FieldError[], volume: Volume, options: VolumeOptions): void {
  let found = false
  for (const source of SOURCES) {
    if (volume[source] === undefined) continue
    if (found)
      errors.push(
        forbiddenField(`${options.path}.${REFUSED_AS[source] ?? source}`, 'may not specify more than 1 volume type'),
      )
    else validateSource(errors, volume, { ...options, source, path: `${options.path}.${CHECKED_AS[source] ?? source}` })
    if (source === 'iscsi') validateIscsiNameLength(errors, volume, options.path)
    found = true
  }
  if (!found) errors.push(required(options.path, 'must specify a volume type'))
}

type SourceOptions = VolumeOptions & { readonly source: Source }

function validateSource(errors: FieldError[], volume: Volume, options: SourceOptions): void {
  const { path } = options
  switch (options.source) {
    case 'emptyDir':
      return validateEmptyDir(errors, volume.emptyDir!, path)
    case 'hostPath':
      return validateHostPath(errors, volume.hostPath!, path)
    case 'secret':
      return validateSecretVolume(errors, volume.secret!, path)
    case 'configMap':
      return validateConfigMapVolume(errors, volume.configMap!, path)
    case 'downwardAPI':
      return validateDownwardApiVolume(errors, volume.downwardAPI!, path)
    case 'projected':
      return validateProjectedVolume(errors, volume.projected!, options)
    case 'persistentVolumeClaim':
      checkPresent(errors, `${path}.claimName`, volume.persistentVolumeClaim!.claimName)
      return
    case 'ephemeral':
      validateEphemeralVolume(errors, volume.ephemeral!, path)
      return validateGeneratedClaimName(errors, volume, options)
    case 'image':
      if (!options.allowEmptyImageReference) checkPresent(errors, `${path}.reference`, volume.image!.reference)
      return checkRequiredEnum(errors, `${path}.pullPolicy`, volume.image!.pullPolicy, PULL_POLICIES)
    default:
      return validateStorageVolume(errors, volume, { path, source: options.source satisfies StorageSource })
  }
}

const EMPTY_DIR_MODE_MAX = 0o1777

function validateEmptyDir(errors: FieldError[], { sizeLimit, mode }: EmptyDirVolumeSource, path: string): void {
  if (sizeLimit !== undefined && compareQuantities(sizeLimit, '0') < 0)
    errors.push(forbiddenField(`${path}.sizeLimit`, 'SizeLimit field must be a valid resource quantity'))
  if (mode !== undefined && (mode > EMPTY_DIR_MODE_MAX || mode < 0))
    errors.push(invalidValue(`${path}.mode`, mode, 'must be a number between 0 and 01777 (octal), both inclusive'))
}

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

function validateHostPath(errors: FieldError[], source: HostPathVolumeSource, path: string): void {
  if (!checkPresent(errors, `${path}.path`, source.path)) return
  checkNoBacksteps(errors, `${path}.path`, source.path)
  checkEnum(errors, `${path}.type`, source.type, HOST_PATH_TYPES)
}

/** The pod controller makes a claim `<pod>-<volume>`: that has to be a name as well. */
function validateGeneratedClaimName(errors: FieldError[], { name }: Volume, { path, meta }: VolumeOptions): void {
  if (!meta?.name || !name) return
  const claim = `${meta.name}-${name}`
  const place = path.replace(/\.ephemeral$/, '.name')
  for (const message of isDns1123Subdomain(claim))
    errors.push(invalidValue(place, name, `PVC name ${JSON.stringify(claim)}: ${message}`))
}

const ISCSI_NAME_BYTES_MAX = 64

function validateIscsiNameLength(errors: FieldError[], { name = '', iscsi }: Volume, path: string): void {
  const { initiatorName, targetPortal = '' }: Partial<ISCSIVolumeSource> = iscsi ?? {}
  if (initiatorName === undefined || Buffer.byteLength(`${name}:${targetPortal}`) <= ISCSI_NAME_BYTES_MAX) return
  const text =
    'Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.'
  errors.push(invalidValue(`${path}.name`, name, text))
}
