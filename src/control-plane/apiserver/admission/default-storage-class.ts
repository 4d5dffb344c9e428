/** Claims that name no storage class get the default one, if there is one. */
import type { PersistentVolumeClaim } from '#api/core/v1.gen.ts'
import type { StorageClass } from '#api/storage/v1.gen.ts'
import { isResource, type AdmissionPlugin } from './admission.ts'
import type { ClusterReader } from './cluster-reader.ts'
import { DEFAULT_STORAGE_CLASS, findDefaultClass } from '#api/default-class.ts'

/** How claims named their class before there was a field. */
export const CLASS_ANNOTATION = 'volume.beta.kubernetes.io/storage-class'

export function createDefaultStorageClass(cluster: ClusterReader): AdmissionPlugin {
  return {
    name: 'DefaultStorageClass',
    async mutate(attributes) {
      if (attributes.operation !== 'CREATE' || !isResource(attributes, 'persistentvolumeclaims')) return
      const claim = attributes.object as PersistentVolumeClaim
      const isNamed = claim.spec.storageClassName !== undefined && claim.spec.storageClassName !== null
      if (isNamed || claim.metadata.annotations?.[CLASS_ANNOTATION] !== undefined) return
      const classes = await cluster.list<StorageClass>('storage.k8s.io', 'storageclasses')
      const found = findDefaultClass(classes, DEFAULT_STORAGE_CLASS)
      if (found !== null) claim.spec.storageClassName = found.metadata.name
    },
  }
}
