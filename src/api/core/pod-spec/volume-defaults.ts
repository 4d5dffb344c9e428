/** Fills the defaults of volumes. */
import type { DownwardAPIVolumeFile, ObjectFieldSelector, Volume, VolumeProjection } from '#api/core/v1.gen.ts'
import { setClaimSpecDefaults } from './claim-template-defaults.ts'
import { defaultPullPolicy } from './pull-policy.ts'

const FILE_MODE = 0o644
const TOKEN_SECONDS = 3600

export function setVolumeDefaults(volume: Volume): void {
  // A volume that names no source is an empty directory.
  if (Object.keys(volume).every((field) => field === 'name')) volume.emptyDir = {}
  if (volume.image) volume.image.pullPolicy ||= defaultPullPolicy(volume.image.reference ?? '')
  if (volume.hostPath) volume.hostPath.type ??= ''
  if (volume.secret) volume.secret.defaultMode ??= FILE_MODE
  if (volume.configMap) volume.configMap.defaultMode ??= FILE_MODE
  if (volume.downwardAPI) {
    volume.downwardAPI.defaultMode ??= FILE_MODE
    setFileDefaults(volume.downwardAPI.items)
  }
  if (volume.projected) {
    volume.projected.defaultMode ??= FILE_MODE
    for (const source of volume.projected.sources ?? []) setProjectionDefaults(source)
  }
  if (volume.ephemeral?.volumeClaimTemplate) setClaimSpecDefaults((volume.ephemeral.volumeClaimTemplate.spec ??= {}))
  setStorageDefaults(volume)
}

function setFileDefaults(files: readonly DownwardAPIVolumeFile[] | undefined): void {
  for (const { fieldRef } of files ?? []) if (fieldRef) setFieldSelectorDefaults(fieldRef)
}

export function setFieldSelectorDefaults(selector: ObjectFieldSelector): void {
  selector.apiVersion ||= 'v1'
}

function setProjectionDefaults({ downwardAPI, serviceAccountToken }: VolumeProjection): void {
  setFileDefaults(downwardAPI?.items)
  if (serviceAccountToken) serviceAccountToken.expirationSeconds ??= TOKEN_SECONDS
}

type StorageSources = Pick<Volume, 'iscsi' | 'rbd' | 'azureDisk' | 'scaleIO'>

/** Drivers of network storage and clouds: the same for pods' volumes and PersistentVolumes. */
export function setStorageDefaults({ iscsi, rbd, azureDisk, scaleIO }: StorageSources): void {
  if (iscsi) iscsi.iscsiInterface ||= 'default'
  if (rbd) {
    rbd.pool ||= 'rbd'
    rbd.user ||= 'admin'
    rbd.keyring ||= '/etc/ceph/keyring'
  }
  if (azureDisk) {
    azureDisk.cachingMode ??= 'ReadWrite'
    azureDisk.fsType ??= 'ext4'
    azureDisk.readOnly ??= false
    azureDisk.kind ??= 'Shared'
  }
  if (scaleIO) {
    scaleIO.storageMode ||= 'ThinProvisioned'
    scaleIO.fsType ||= 'xfs'
  }
}
