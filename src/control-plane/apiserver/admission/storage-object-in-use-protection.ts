/** Volumes, claims and their attribute classes stay until nothing uses them: a finalizer says so from the start. */
import { isResource, type AdmissionAttributes, type AdmissionPlugin } from './admission.ts'

export const storageObjectInUseProtection: AdmissionPlugin = {
  name: 'StorageObjectInUseProtection',
  mutate(attributes) {
    const finalizer = finalizerOf(attributes)
    if (attributes.operation !== 'CREATE' || finalizer === null) return
    const { metadata } = attributes.object!
    if (!(metadata.finalizers ?? []).includes(finalizer))
      metadata.finalizers = [...(metadata.finalizers ?? []), finalizer]
  },
}

function finalizerOf(attributes: AdmissionAttributes): string | null {
  if (isResource(attributes, 'persistentvolumeclaims')) return 'kubernetes.io/pvc-protection'
  if (isResource(attributes, 'persistentvolumes')) return 'kubernetes.io/pv-protection'
  return isResource(attributes, 'volumeattributesclasses', 'storage.k8s.io') ? 'kubernetes.io/vac-protection' : null
}
