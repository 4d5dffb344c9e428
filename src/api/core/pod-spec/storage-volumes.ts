/** Checks volumes on network storage and in clouds; most of their drivers are gone, but the fields are still validated. */
import type {
  FCVolumeSource,
  FlockerVolumeSource,
  ISCSIVolumeSource,
  QuobyteVolumeSource,
  StorageOSVolumeSource,
  Volume,
} from '#api/core/v1.gen.ts'
import { checkDnsLabel, checkDnsSubdomain, checkEnum, checkPresent, checkRange } from '#api/validation.ts'
import { type FieldError, invalidValue, notSupported, required, tooLong } from '#machinery/field-error.ts'
import { isDns1123Subdomain } from '#machinery/validation/names.ts'
import { checkDescendingPath } from './paths.ts'

export type StorageSource = Exclude<
  keyof Volume,
  | 'name'
  | 'emptyDir'
  | 'hostPath'
  | 'secret'
  | 'configMap'
  | 'downwardAPI'
  | 'projected'
  | 'persistentVolumeClaim'
  | 'ephemeral'
  | 'image'
>

type Place = { readonly path: string; readonly source: StorageSource }

export function validateStorageVolume(errors: FieldError[], volume: Volume, { path, source }: Place): void {
  VALIDATORS[source](errors, volume, path)
}

type Validator = (errors: FieldError[], volume: Volume, path: string) => void

const PARTITION_MAX = 255

/** 0 stands for the whole disk; upstream's text does not mention it. */
function checkPartition(errors: FieldError[], path: string, partition: number): void {
  if (partition < 0 || partition > PARTITION_MAX)
    errors.push(invalidValue(path, partition, `must be between 1 and ${PARTITION_MAX}, inclusive`))
}

const VALIDATORS: Readonly<Record<StorageSource, Validator>> = {
  gitRepo(errors, { gitRepo }, path) {
    checkPresent(errors, `${path}.repository`, gitRepo!.repository)
    checkDescendingPath(errors, `${path}.directory`, gitRepo!.directory ?? '')
  },
  gcePersistentDisk(errors, { gcePersistentDisk }, path) {
    checkPresent(errors, `${path}.pdName`, gcePersistentDisk!.pdName)
    checkPartition(errors, `${path}.partition`, gcePersistentDisk!.partition ?? 0)
  },
  awsElasticBlockStore(errors, { awsElasticBlockStore }, path) {
    checkPresent(errors, `${path}.volumeID`, awsElasticBlockStore!.volumeID)
    checkPartition(errors, `${path}.partition`, awsElasticBlockStore!.partition ?? 0)
  },
  nfs(errors, { nfs }, path) {
    const { server, path: directory = '' } = nfs!
    checkPresent(errors, `${path}.server`, server)
    checkPresent(errors, `${path}.path`, directory)
    if (!directory.startsWith('/')) errors.push(invalidValue(`${path}.path`, directory, 'must be an absolute path'))
  },
  iscsi: (errors, { iscsi }, path) => validateIscsi(errors, iscsi!, path),
  glusterfs(errors, { glusterfs }, path) {
    checkPresent(errors, `${path}.endpoints`, glusterfs!.endpoints)
    checkPresent(errors, `${path}.path`, glusterfs!.path)
  },
  flocker: (errors, { flocker }, path) => validateFlocker(errors, flocker!, path),
  rbd(errors, { rbd }, path) {
    if ((rbd!.monitors ?? []).length === 0) errors.push(required(`${path}.monitors`))
    checkPresent(errors, `${path}.image`, rbd!.image)
  },
  cinder(errors, { cinder }, path) {
    checkPresent(errors, `${path}.volumeID`, cinder!.volumeID)
    if (cinder!.secretRef) checkPresent(errors, `${path}.secretRef.name`, cinder!.secretRef.name)
  },
  cephfs(errors, { cephfs }, path) {
    if ((cephfs!.monitors ?? []).length === 0) errors.push(required(`${path}.monitors`))
  },
  quobyte: (errors, { quobyte }, path) => validateQuobyte(errors, quobyte!, path),
  fc: (errors, { fc }, path) => validateFibreChannel(errors, fc!, path),
  flexVolume(errors, { flexVolume }, path) {
    checkPresent(errors, `${path}.driver`, flexVolume!.driver)
    validateFlexOptions(errors, flexVolume!.options, `${path}.options`)
  },
  azureFile(errors, { azureFile }, path) {
    checkPresent(errors, `${path}.secretName`, azureFile!.secretName)
    checkPresent(errors, `${path}.shareName`, azureFile!.shareName)
  },
  vsphereVolume: (errors, { vsphereVolume }, path) =>
    void checkPresent(errors, `${path}.volumePath`, vsphereVolume!.volumePath),
  photonPersistentDisk: (errors, { photonPersistentDisk }, path) =>
    void checkPresent(errors, `${path}.pdID`, photonPersistentDisk!.pdID),
  portworxVolume: (errors, { portworxVolume }, path) =>
    void checkPresent(errors, `${path}.volumeID`, portworxVolume!.volumeID),
  azureDisk: (errors, { azureDisk }, path) => validateAzureDisk(errors, azureDisk!, path),
  storageos: (errors, { storageos }, path) => validateStorageOs(errors, storageos!, path),
  scaleIO(errors, { scaleIO }, path) {
    checkPresent(errors, `${path}.gateway`, scaleIO!.gateway)
    checkPresent(errors, `${path}.system`, scaleIO!.system)
    checkPresent(errors, `${path}.volumeName`, scaleIO!.volumeName)
  },
  csi(errors, { csi }, path) {
    validateCsiDriverName(errors, csi!.driver ?? '', `${path}.driver`)
    const name = csi!.nodePublishSecretRef?.name
    if (csi!.nodePublishSecretRef === undefined) return
    if (checkPresent(errors, `${path}.nodePublishSecretRef.name`, name)) checkDnsSubdomain(errors, `${path}.name`, name)
  },
}

const IQN = /iqn\.\d{4}-\d{2}\.([A-Za-z0-9-.]+)(:[^,;*&$|\s]+)$/
const EUI = /^eui.[A-Za-z0-9]{16}$/
const NAA = /^naa.[A-Za-z0-9]{32}$/
const LUNS = [0, 255] as const

function validateIscsi(errors: FieldError[], source: ISCSIVolumeSource, path: string): void {
  checkPresent(errors, `${path}.targetPortal`, source.targetPortal)
  if (checkPresent(errors, `${path}.iqn`, source.iqn)) checkIscsiName(errors, source.iqn, `${path}.iqn`)
  checkRange(errors, `${path}.lun`, source.lun ?? 0, LUNS)
  const needsSecret = source.chapAuthDiscovery === true || source.chapAuthSession === true
  if (needsSecret && source.secretRef === undefined) errors.push(required(`${path}.secretRef`))
  if (source.initiatorName !== undefined) checkIscsiName(errors, source.initiatorName, `${path}.initiatorname`)
}

export function checkIscsiName(errors: FieldError[], name: string, path: string): void {
  if (!/^(?:iqn|eui|naa)/.test(name)) {
    errors.push(invalidValue(path, name, 'must be valid format starting with iqn, eui, or naa'))
    return
  }
  const pattern = name.startsWith('iqn') ? IQN : name.startsWith('eui') ? EUI : NAA
  if (!pattern.test(name)) errors.push(invalidValue(path, name, 'must be valid format'))
}

function validateFlocker(errors: FieldError[], source: FlockerVolumeSource, path: string): void {
  const { datasetName = '', datasetUUID = '' } = source
  if (datasetName === '' && datasetUUID === '')
    errors.push(required(path, 'one of datasetName and datasetUUID is required'))
  if (datasetName !== '' && datasetUUID !== '')
    errors.push(invalidValue(path, 'resource', 'datasetName and datasetUUID can not be specified simultaneously'))
  if (datasetName.includes('/')) errors.push(invalidValue(`${path}.datasetName`, datasetName, "must not contain '/'"))
}

const TENANT_BYTES_MAX = 64
const HOST_PORT = /^(?:[^:[\]]*|\[[^[\]]*\]):[^:[\]]*$/

function validateQuobyte(errors: FieldError[], source: QuobyteVolumeSource, path: string): void {
  const { registry = '', tenant = '' } = source
  const text = 'must be a host:port pair or multiple pairs separated by commas'
  if (registry === '') errors.push(required(`${path}.registry`, text))
  else if (Buffer.byteLength(tenant) > TENANT_BYTES_MAX)
    errors.push(required(`${path}.tenant`, 'must be a UUID and may not exceed a length of 64 characters'))
  else
    for (const pair of registry.split(','))
      if (!HOST_PORT.test(pair)) errors.push(invalidValue(`${path}.registry`, registry, text))
  checkPresent(errors, `${path}.volume`, source.volume)
}

function validateFibreChannel(errors: FieldError[], source: FCVolumeSource, path: string): void {
  const { targetWWNs = [], wwids = [], lun } = source
  const place = `${path}.targetWWNs`
  if (targetWWNs.length === 0 && wwids.length === 0)
    errors.push(required(place, 'must specify either targetWWNs or wwids, but not both'))
  if (targetWWNs.length === 0) return
  if (wwids.length > 0)
    errors.push(invalidValue(place, targetWWNs, 'targetWWNs and wwids can not be specified simultaneously'))
  if (lun === undefined) errors.push(required(`${path}.lun`, 'lun is required if targetWWNs is specified'))
  else checkRange(errors, `${path}.lun`, lun, LUNS)
}

function validateFlexOptions(errors: FieldError[], options: Record<string, string> | undefined, path: string): void {
  for (const name in options) {
    const domain = `.${name.split('/', 1)[0]!.toLowerCase()}`
    if (domain.endsWith('.kubernetes.io') || domain.endsWith('.k8s.io'))
      errors.push(invalidValue(`${path}[${name}]`, name, 'kubernetes.io and k8s.io namespaces are reserved'))
  }
}

const MANAGED_DISK_URI =
  '/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}'
const BLOB_URI = 'https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd'

function validateAzureDisk(errors: FieldError[], source: NonNullable<Volume['azureDisk']>, path: string): void {
  const { diskURI = '', kind } = source
  checkPresent(errors, `${path}.diskName`, source.diskName)
  checkPresent(errors, `${path}.diskURI`, diskURI)
  checkEnum(errors, `${path}.cachingMode`, source.cachingMode, ['None', 'ReadOnly', 'ReadWrite'])
  checkEnum(errors, `${path}.kind`, kind, ['Dedicated', 'Managed', 'Shared'])
  if (kind === undefined) return
  const [prefix, example] = kind === 'Managed' ? ['/subscriptions/', MANAGED_DISK_URI] : ['https://', BLOB_URI]
  if (!diskURI.startsWith(prefix!)) errors.push(notSupported(`${path}.diskURI`, diskURI, [example!]))
}

function validateStorageOs(errors: FieldError[], source: StorageOSVolumeSource, path: string): void {
  const { volumeName, volumeNamespace = '', secretRef } = source
  if (checkPresent(errors, `${path}.volumeName`, volumeName)) checkDnsLabel(errors, `${path}.volumeName`, volumeName)
  if (volumeNamespace !== '') checkDnsLabel(errors, `${path}.volumeNamespace`, volumeNamespace)
  if (secretRef) checkPresent(errors, `${path}.secretRef.name`, secretRef.name)
}

const DRIVER_BYTES_MAX = 63

export function validateCsiDriverName(errors: FieldError[], name: string, path: string): void {
  if (!checkPresent(errors, path, name)) return
  if (Buffer.byteLength(name) > DRIVER_BYTES_MAX) errors.push(tooLong(path, DRIVER_BYTES_MAX))
  for (const message of isDns1123Subdomain(name.toLowerCase())) errors.push(invalidValue(path, name, message))
}
