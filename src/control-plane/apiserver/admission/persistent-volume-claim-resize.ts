/** A claim grows only when it is bound and its storage class lets volumes grow. */
import type { PersistentVolumeClaim } from '#api/core/v1.gen.ts'
import type { StorageClass } from '#api/storage/v1.gen.ts'
import { compareQuantities } from '#machinery/quantity.ts'
import { isResource, refuse, type AdmissionPlugin } from './admission.ts'
import type { ClusterReader } from './cluster-reader.ts'
import { CLASS_ANNOTATION } from './default-storage-class.ts'

export function createPersistentVolumeClaimResize(cluster: ClusterReader): AdmissionPlugin {
  return {
    name: 'PersistentVolumeClaimResize',
    async validate(attributes) {
      if (attributes.operation !== 'UPDATE' || !isResource(attributes, 'persistentvolumeclaims')) return
      const claim = attributes.object as PersistentVolumeClaim
      const old = attributes.oldObject as PersistentVolumeClaim
      if (compareQuantities(sizeOf(claim), sizeOf(old)) <= 0) return
      if (old.status?.phase !== 'Bound') throw refuse(attributes, 'Only bound persistent volume claims can be expanded')
      if (!(await mayGrow(cluster, claim, old)))
        throw refuse(
          attributes,
          'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
        )
    },
  }
}

const sizeOf = ({ spec }: PersistentVolumeClaim): string => spec.resources?.requests?.['storage'] ?? '0'

const classOf = ({ metadata, spec }: PersistentVolumeClaim): string =>
  metadata.annotations?.[CLASS_ANNOTATION] ?? spec.storageClassName ?? ''

async function mayGrow(
  cluster: ClusterReader,
  claim: PersistentVolumeClaim,
  old: PersistentVolumeClaim,
): Promise<boolean> {
  const name = classOf(claim)
  if (name === '' || name !== classOf(old)) return false
  const found = await cluster.get<StorageClass>('storage.k8s.io', 'storageclasses', '', name)
  return found?.allowVolumeExpansion ?? false
}
