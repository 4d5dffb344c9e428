/** Claims, volumes and classes for the tests of the volume binder. */
import type { PersistentVolume, PersistentVolumeClaim } from '#api/core/v1.gen.ts'
import type { StorageClass } from '#api/storage/v1.gen.ts'

type Parts = { readonly spec?: object; readonly status?: object; readonly metadata?: object }

/** Wants 1Gi, ReadWriteOnce, of class `fast`. */
export function claimOf({ spec, status, metadata }: Parts = {}): PersistentVolumeClaim {
  return {
    metadata: { name: 'c', namespace: 'n', uid: 'claim-uid', resourceVersion: '1', ...metadata },
    spec: {
      accessModes: ['ReadWriteOnce'],
      storageClassName: 'fast',
      resources: { requests: { storage: '1Gi' } },
      ...spec,
    },
    status: { phase: 'Pending', ...status },
  } as unknown as PersistentVolumeClaim
}

/** Free, 2Gi, ReadWriteOnce, of class `fast`. */
export function volumeOf(name: string, { spec, status, metadata }: Parts = {}): PersistentVolume {
  return {
    metadata: { name, uid: `${name}-uid`, resourceVersion: '1', ...metadata },
    spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'fast', capacity: { storage: '2Gi' }, ...spec },
    status: { phase: 'Available', ...status },
  } as unknown as PersistentVolume
}

export function storageClassOf(provisioner: string, volumeBindingMode = 'Immediate'): StorageClass {
  return { metadata: { name: 'fast' }, provisioner, volumeBindingMode } as unknown as StorageClass
}

/** The reference of a volume to `claimOf()`. */
export const CLAIM_REF = { namespace: 'n', name: 'c', uid: 'claim-uid' }
