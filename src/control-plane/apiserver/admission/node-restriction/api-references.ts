/** Whether a pod needs other objects of the API: a kubelet's static pods must not, or it could read any of them. Pure. */
import type { Pod, PodSpec, Volume } from '#api/core/v1.gen.ts'
import { someContainer } from '#api/core/pod-spec/containers-of.ts'

/** Upstream's words for the first kind of object that is found; null for none. */
export function apiReferenceOf({ spec }: Pod): string | null {
  if (spec.serviceAccountName) return 'serviceaccounts'
  if (usesSecrets(spec)) return 'secrets'
  if (usesConfigMaps(spec)) return 'configmaps'
  if ((spec.resourceClaims?.length ?? 0) > 0) return 'resourceclaims'
  for (const volume of spec.volumes ?? []) {
    const reference = referenceOfVolume(volume) ?? referenceOfSources(volume)
    if (reference !== null) return reference
  }
  return null
}

function usesSecrets(spec: PodSpec): boolean {
  if (spec.imagePullSecrets?.some(({ name }) => name)) return true
  if (
    someContainer(
      spec,
      ({ env = [], envFrom = [] }) =>
        env.some(({ valueFrom }) => valueFrom?.secretKeyRef?.name) || envFrom.some(({ secretRef }) => secretRef?.name),
    )
  )
    return true
  return (spec.volumes ?? []).some((volume) => {
    const { azureFile, cephfs, cinder, flexVolume, rbd, secret, scaleIO, iscsi, storageos, csi, projected } = volume
    if (azureFile?.secretName || secret?.secretName || csi?.nodePublishSecretRef?.name) return true
    const plugins = [cephfs, cinder, flexVolume, rbd, scaleIO, iscsi, storageos]
    return plugins.some((plugin) => plugin?.secretRef?.name) || projected?.sources?.some((one) => one.secret?.name)
  })
}

function usesConfigMaps(spec: PodSpec): boolean {
  const isUsed = someContainer(
    spec,
    ({ env = [], envFrom = [] }) =>
      env.some(({ valueFrom }) => valueFrom?.configMapKeyRef?.name) ||
      envFrom.some(({ configMapRef }) => configMapRef?.name),
  )
  if (isUsed) return true
  return (spec.volumes ?? []).some(
    ({ configMap, projected }) => configMap?.name || projected?.sources?.some((one) => one.configMap?.name),
  )
}

function referenceOfVolume(volume: Volume): string | null {
  if (volume.configMap !== undefined) return 'configmaps (via configmap volumes)'
  if (volume.secret !== undefined) return 'secrets (via secret volumes)'
  if (volume.csi !== undefined) return 'csidrivers (via CSI volumes)'
  if (volume.glusterfs !== undefined) return 'endpoints (via glusterFS volumes)'
  if (volume.persistentVolumeClaim !== undefined) return 'persistentvolumeclaims'
  if (volume.ephemeral !== undefined) return 'persistentvolumeclaims (via ephemeral volumes)'
  return volume.azureFile === undefined ? null : 'secrets (via azureFile volumes)'
}

function referenceOfSources({ projected }: Volume): string | null {
  for (const source of projected?.sources ?? []) {
    if (source.configMap !== undefined) return 'configmaps (via projected volumes)'
    if (source.secret !== undefined) return 'secrets (via projected volumes)'
    if (source.serviceAccountToken !== undefined) return 'serviceaccounts (via projected volumes)'
    if (source.clusterTrustBundle !== undefined) return 'clustertrustbundles'
    if (source.podCertificate !== undefined) return 'podcertificates'
  }
  return null
}
